// See model.h.
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "engine/cuda/charges.h"
#include "engine/cuda/model.h"

namespace deeptf::device {
namespace {

// Atoms of frames that are evaluated together: about 5 GB, or few enough for a test.
#ifdef __CUDACC__
constexpr int64_t kMostAtoms = 65536;
#else
constexpr int64_t kMostAtoms = 40;
#endif

// The results of the frames from `first` on, and their atoms from `begin` on, with `width` numbers
// of a property.
deeptf_results part_of(const deeptf_results& results, int64_t first, int64_t begin, int64_t width) {
  const auto from = [](double* array, int64_t number) {
    return array != nullptr ? array + number : nullptr;
  };
  deeptf_results part = results;
  part.energy = from(results.energy, first);
  part.virial = from(results.virial, 9 * first);
  part.force = from(results.force, 3 * begin);
  part.atom_energy = from(results.atom_energy, begin);
  part.atom_virial = from(results.atom_virial, 9 * begin);
  part.value = from(results.value, width * first);
  part.atom_value = from(results.atom_value, width * begin);
  return part;
}

// Whether the host can read what says where frames begin.
bool can_be_cut(const deeptf_frames& frames) {
  for (const void* array :
       {static_cast<const void*>(frames.frame_row), static_cast<const void*>(frames.cell),
        static_cast<const void*>(frames.type), static_cast<const void*>(frames.fparam),
        static_cast<const void*>(frames.aparam)}) {
    if (is_on_device(array)) return false;
  }
  return true;
}

// So many frames from `first` on are evaluated together: at least one.
int32_t frames_together(const int32_t* row, int32_t first, int32_t number) {
  int32_t end = first + 1;
  while (end < number && row[end + 1] - row[first] <= kMostAtoms) ++end;
  return end - first;
}

}  // namespace

Model::Model(const ModelFile& file, int gpu) : about_(file), gpu_(gpu), process_(getpid()) {
  if (!has_plan(file.metadata())) {
    throw Error("a model must have a plan of its stages to run on a GPU, got one for TensorFlow");
  }
  const std::string unknown = unknown_kernel(file.metadata());
  if (!unknown.empty()) {
    throw Error("a model must be made of stages with kernels for GPUs, got one with " + unknown);
  }
  const int number = num_gpus();
  if (gpu < 0 || gpu >= number) {
    throw Error("`gpu_number` must be below the " + std::to_string(number) +
                " GPUs that are visible, got " + std::to_string(gpu));
  }
  const UsedGpu used(gpu);
  name_ = device::gpu_name(gpu);
  plan_ = std::make_unique<Plan>(file, about_.inputs);
}

void Model::evaluate(const deeptf_frames& frames, const deeptf_options& options,
                     const deeptf_results& results) {
  check_process();
  const UsedGpu used(gpu_);
  const int32_t number = frames.num_frames;
  if (number <= 1 || frames.num_atoms <= kMostAtoms || !can_be_cut(frames)) {
    return run(door_of(frames, about_).get(), options, results);
  }
  check(frames, about_);
  const FilledFrames filled(frames);
  const int64_t types = about_.inputs.num_types;
  const int32_t* row = filled.get().frame_row;
  if (plan_->charges() != nullptr) plan_->charges()->grids(filled.get().cell, number);
  if (about_.spins.count() > 0) find_spins(about_.spins, types, number, row, frames.type);
  std::vector<int64_t> count(types * types);
  std::vector<double> distance(types * types, std::numeric_limits<double>::infinity());
  for (int32_t first = 0, together; first < number; first += together) {
    together = frames_together(row, first, number);
    std::vector<int32_t> part_row;
    for (int32_t f = first; f <= first + together; ++f) part_row.push_back(row[f] - row[first]);
    const int64_t begin = row[first];
    deeptf_frames part = frames;
    part.num_frames = together;
    part.num_atoms = part_row.back();
    part.frame_row = part_row.data();
    part.coord += 3 * begin;
    if (part.cell != nullptr) part.cell += 9 * int64_t{first};
    part.type += begin;
    if (part.fparam != nullptr) part.fparam += about_.inputs.num_fparam * first;
    if (part.aparam != nullptr) part.aparam += about_.inputs.num_aparam * begin;
    deeptf_options own = options;
    const int64_t width = about_.inputs.width;
    if (own.weight != nullptr) own.weight += width * begin;
    try {
      run_part(part, own, part_of(results, first, begin, width), count.data(), distance.data());
    } catch (Refusal refusal) {  // by the frame's number among all
      refusal.atom += static_cast<int32_t>(begin);
      refuse(refusal, *door_of(frames, about_));
    } catch (const Error&) {
      door_of(frames, about_)->report();
      throw;
    }
  }
  if (results.outside_count != nullptr) {
    std::copy(count.begin(), count.end(), results.outside_count);
  }
  if (results.outside_distance != nullptr) {
    std::copy(distance.begin(), distance.end(), results.outside_distance);
  }
}

// Adds what is outside to count and distance [T, T].
void Model::run_part(const deeptf_frames& part, const deeptf_options& options,
                     const deeptf_results& results, int64_t* count, double* distance) {
  const int64_t types = about_.inputs.num_types * about_.inputs.num_types;
  std::vector<int64_t> own_count(types);
  std::vector<double> own_distance(types);
  deeptf_results own = results;
  own.outside_count = own_count.data();
  own.outside_distance = own_distance.data();
  evaluate(door_of(part, about_).get(), options, own, 0);
  for (int64_t k = 0; k < types; ++k) {
    count[k] += own_count[k];
    distance[k] = std::min(distance[k], own_distance[k]);
  }
}

void Model::evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                     const deeptf_results& results) {
  check_process();
  check_takes_neighbours(about_);
  const UsedGpu used(gpu_);
  run(door_of(list, about_).get(), options, results, list.revision);
}

void Model::evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                     const deeptf_results& results) {
  check_process();
  check_takes_neighbours(about_);
  check_takes_pairs(about_);
  if (plan_->charges() != nullptr) throw Error(kChargesTakeNoPairs);
  const UsedGpu used(gpu_);
  run(door_of(pairs, about_).get(), options, results);
}

void Model::check_process() const {
  if (getpid() == process_) return;
  throw Error(
      "a model on a GPU must be evaluated by the process that loaded it, got a fork of it: "
      "load the model again there, or with `gpu` no");
}

void Model::run(Door* door, const deeptf_options& options, const deeptf_results& results,
                int64_t lists_revision) {
  try {
    evaluate(door, options, results, lists_revision);
  } catch (const Refusal& refusal) {
    refuse(refusal, *door);
  }
}

void Model::refuse(const Refusal& refusal, const Door& door) const {
  std::string message;
  door.on_host([&](const Centres& given) { message = plan_->message(refusal, given); });
  throw Error(message);
}

void Model::evaluate(Door* door, const deeptf_options& options, const deeptf_results& results,
                     int64_t lists_revision) {
  std::unique_ptr<Workspace> workspace = take(lists_revision);
  workspace->evaluate(*plan_, about_, door, options, results);
  const std::lock_guard<std::mutex> lock(mutex_);
  free_.push_back(std::move(workspace));
}

// That with these lists, if there is one; one whose evaluation has failed does not come back.
std::unique_ptr<Workspace> Model::take(int64_t lists_revision) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (free_.empty()) return std::make_unique<Workspace>();
  auto found = std::find_if(free_.begin(), free_.end(), [&](const auto& one) {
    return lists_revision != 0 && one->lists_revision() == lists_revision;
  });
  if (found == free_.end()) found = free_.end() - 1;
  std::unique_ptr<Workspace> workspace = std::move(*found);
  free_.erase(found);
  return workspace;
}

}  // namespace deeptf::device
