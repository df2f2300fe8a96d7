// The same atoms for models on the CPU and on a device, through every door of the engine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compare.h"
#include "core/geometry/neighbors.h"
#include "engine/api_table.h"
#include "engine/cuda/api_table.h"
#include "table_model.h"

namespace deeptf_test {

// Results of an evaluation; all are set to numbers that none of them has.
struct Found {
  Found(int64_t frames, int64_t centres, int64_t all, int64_t types)
      : energy(frames, kUnset),
        force(3 * all, kUnset),
        virial(9 * frames, kUnset),
        atom_energy(centres, kUnset),
        atom_virial(9 * all, kUnset),
        outside_distance(types * types, kUnset),
        outside_count(types * types, -1) {}

  // Results of a property with so many numbers of an atom, with weights or without.
  void take_values(int64_t width, bool with_weights) {
    value.assign(energy.size() * width, kUnset);
    atom_value.assign(atom_energy.size() * width, kUnset);
    if (with_weights) weight = normal(atom_value.size(), 8);
  }

  deeptf_options options() const {
    deeptf_options given{};
    given.size = sizeof given;
    given.threads = 1;
    given.weight = weight.empty() ? nullptr : weight.data();
    given.add_parts = add_parts;
    given.parts = parts;
    given.num_parts = add_parts != nullptr ? 2 : 1;
    return given;
  }

  deeptf_results results() {
    deeptf_results to{};
    to.size = sizeof to;
    if (value.empty() || !weight.empty()) {
      to.energy = energy.data();
      to.force = force.data();
      to.virial = virial.data();
      to.atom_energy = atom_energy.data();
      to.atom_virial = atom_virial.data();
    }
    if (!value.empty()) {
      to.value = value.data();
      to.atom_value = atom_value.data();
    }
    to.outside_count = outside_count.data();
    to.outside_distance = outside_distance.data();
    return to;
  }
  bool operator==(const Found& other) const {
    return energy == other.energy && force == other.force && virial == other.virial &&
           atom_energy == other.atom_energy && atom_virial == other.atom_virial &&
           outside_count == other.outside_count && outside_distance == other.outside_distance &&
           value == other.value && atom_value == other.atom_value;
  }

  static constexpr double kUnset = 777;
  std::vector<double> energy, force, virial, atom_energy, atom_virial, outside_distance;
  std::vector<double> value, atom_value, weight;  // of another property; or nothing
  deeptf_add_parts add_parts = nullptr;
  void* parts = nullptr;
  std::vector<int64_t> outside_count;
};

// Whether both are the same to `tolerance`, each array in relation to itself.
inline bool agree(const Found& got, const Found& wanted, double tolerance) {
  bool all = got.outside_count == wanted.outside_count;
  for (size_t k = 0; k < got.outside_distance.size(); ++k) {
    const double a = got.outside_distance[k], b = wanted.outside_distance[k];
    all = all && (a == b || std::abs(a - b) < 1e-12);
  }
  const auto compare = [&](const char* name, std::vector<double> Found::* array) {
    const double off = distance(got.*array, wanted.*array);
    if (off < tolerance) return;
    std::printf("%s is off by %g\n", name, off);
    all = false;
  };
  compare("energy", &Found::energy);
  compare("force", &Found::force);
  compare("virial", &Found::virial);
  compare("atom_energy", &Found::atom_energy);
  compare("atom_virial", &Found::atom_virial);
  compare("value", &Found::value);
  compare("atom_value", &Found::atom_value);
  return all;
}

class CpuModel {
 public:
  explicit CpuModel(const std::string& bytes) : model_(nullptr, api().deeptf_free) {
    deeptf_load_options options{};
    options.size = sizeof options;
    options.gpu = DEEPTF_GPU_NO;
    deeptf_model* model = nullptr;
    if (api().deeptf_load_content("test.pb", bytes.data(), bytes.size(), &options, &model) != 0) {
      throw deeptf::Error(api().deeptf_last_error());
    }
    model_.reset(model);
  }

  void run(const deeptf_frames& frames, Found* found) const {
    run(api().deeptf_evaluate, frames, found);
  }
  void run(const deeptf_neighbor_list& list, Found* found) const {
    run(api().deeptf_evaluate_list, list, found);
  }
  void run(const deeptf_pairs& pairs, Found* found) const {
    run(api().deeptf_evaluate_pairs, pairs, found);
  }

 private:
  static const deeptf::Api& api() { return *deeptf_engine_api(); }

  template <class Function, class Given>
  void run(Function function, const Given& given, Found* found) const {
    const deeptf_options options = found->options();
    const deeptf_results results = found->results();
    if (function(model_.get(), &given, &options, &results) != 0) {
      throw deeptf::Error(api().deeptf_last_error());
    }
  }

  std::unique_ptr<deeptf_model, decltype(deeptf::Api::deeptf_free)> model_;
};

class GpuModel {
 public:
  explicit GpuModel(const std::string& bytes) : model_(nullptr, api().free) {
    void* model = nullptr;
    check(api().load("test.pb", bytes.data(), bytes.size(), 0, &model));
    model_.reset(model);
  }

  void run(const deeptf_frames& frames, const deeptf_results& results,
           const deeptf_options& options = {}) const {
    check(api().evaluate(model_.get(), &frames, &options, &results));
  }
  void run(const deeptf_frames& frames, Found* found) const {
    run(frames, found->results(), found->options());
  }
  void run(const deeptf_neighbor_list& list, Found* found) const {
    const deeptf_results results = found->results();
    const deeptf_options options = found->options();
    check(api().evaluate_list(model_.get(), &list, &options, &results));
  }
  void run(const deeptf_pairs& pairs, Found* found) const {
    const deeptf_results results = found->results();
    const deeptf_options options = found->options();
    check(api().evaluate_pairs(model_.get(), &pairs, &options, &results));
  }

 private:
  static const deeptf::CudaApi& api() { return *deeptf_engine_cuda_api(); }
  static void check(int failed) {
    if (failed) throw deeptf::Error(api().last_error());
  }

  std::unique_ptr<void, decltype(deeptf::CudaApi::free)> model_;
};

// Frames of atoms near a lattice, 2 A apart, in oblique cells; some atoms are none.
struct System {
  System(const std::vector<int>& frames, int types, unsigned seed = 1, double apart = 2)
      : num_types(types) {
    for (size_t f = 0; f < frames.size(); ++f) {
      const int side = frames[f] > 8 ? 3 : 2, layers = (frames[f] + side * side - 1) / side / side;
      const std::vector<double> noise = normal(3 * frames[f], seed + static_cast<unsigned>(f));
      for (int atom = 0; atom < frames[f]; ++atom) {
        const int place[3] = {atom % side, atom / side % side, atom / side / side};
        for (int k = 0; k < 3; ++k) {
          coord.push_back(apart * place[k] + 0.15 * noise[3 * atom + k]);
        }
        type.push_back(atom == 7 ? -1 : (atom + static_cast<int>(f)) % types);
      }
      const double width = apart * side, height = apart * std::max(layers, 1);
      cell.insert(cell.end(), {width, 0, 0, 0.3, width, 0, -0.4, 0.2, height});
      frame_row.push_back(static_cast<int32_t>(type.size()));
    }
    fparam = normal(2 * frames.size(), seed + 50);
    aparam = normal(type.size(), seed + 51);
  }

  int32_t num_atoms() const { return static_cast<int32_t>(type.size()); }
  int32_t num_frames() const { return static_cast<int32_t>(frame_row.size()) - 1; }
  Found found() const { return Found(num_frames(), num_atoms(), num_atoms(), num_types); }

  deeptf_frames frames(bool with_cell = true) const {
    deeptf_frames given{};
    given.size = sizeof given;
    given.num_frames = num_frames();
    given.num_atoms = num_atoms();
    given.frame_row = frame_row.data();
    given.coord = coord.data();
    given.cell = with_cell ? cell.data() : nullptr;
    given.type = type.data();
    given.fparam = fparam.data();
    given.aparam = aparam.data();
    return given;
  }

  int num_types;
  std::vector<double> coord, cell, fparam, aparam;
  std::vector<int32_t> type, frame_row{0};
};

// The first frame of a system with its pairs; the last `ghosts` atoms have none.
struct Pairs {
  Pairs(const System& system, double rcut, int ghosts) : system(system) {
    const deeptf_frames frames = system.frames();
    const deeptf::NeighborSearch search(
        {1, frames.frame_row, frames.coord, frames.cell, frames.type}, rcut);
    std::vector<int32_t> all(system.num_atoms() + 1);
    neighbor.resize(search.count(serial(), all.data()));
    displacement.resize(3 * neighbor.size());
    search.fill(serial(), all.data(), neighbor.data(), displacement.data());
    row.assign(all.begin(), all.end() - ghosts);
    neighbor.resize(row.back());
    displacement.resize(3 * neighbor.size());
  }

  int32_t num_centres() const { return static_cast<int32_t>(row.size()) - 1; }
  Found found() const { return Found(1, num_centres(), system.num_atoms(), system.num_types); }
  deeptf_pairs pairs() const {
    deeptf_pairs given{};
    given.size = sizeof given;
    given.num_centres = num_centres();
    given.num_owned = num_centres() - 1;
    given.num_all = system.num_atoms();
    given.type = system.type.data();
    given.row = row.data();
    given.neighbor = neighbor.data();
    given.displacement = displacement.data();
    given.fparam = system.fparam.data();
    given.aparam = system.aparam.data();
    return given;
  }

  const System& system;
  std::vector<int32_t> row, neighbor;
  std::vector<double> displacement;
};

// The first frame without its cell: each centre with all other atoms in its list, last centre
// first; the last `ghosts` atoms have no lists.
struct Lists {
  Lists(const System& system, int ghosts) : system(system), lists(system.num_atoms() - ghosts) {
    const int32_t all = system.num_atoms();
    for (int32_t k = 0; k < num_centres(); ++k) {
      centre.push_back(num_centres() - 1 - k);
      for (int32_t j = 0; j < all; ++j) {
        if (j != centre.back()) lists[k].push_back(j | 1 << 30);
      }
      number.push_back(static_cast<int32_t>(lists[k].size()));
    }
    for (const std::vector<int32_t>& list : lists) places.push_back(list.data());
  }

  int32_t num_centres() const { return static_cast<int32_t>(lists.size()); }
  Found found() const { return Found(1, num_centres(), system.num_atoms(), system.num_types); }
  deeptf_neighbor_list list(int64_t revision = 0) const {
    deeptf_neighbor_list given{};
    given.size = sizeof given;
    given.num_centres = num_centres();
    given.num_owned = num_centres() - 1;
    given.num_all = system.num_atoms();
    given.coord = system.coord.data();
    given.type = system.type.data();
    given.num_lists = num_centres();
    given.centre = centre.data();
    given.num_neighbors = number.data();
    given.neighbors = places.data();
    given.neighbor_mask = (1 << 30) - 1;
    given.fparam = system.fparam.data();
    given.aparam = system.aparam.data();
    given.cell = system.cell.data();
    given.revision = revision;
    return given;
  }

  const System& system;
  std::vector<std::vector<int32_t>> lists;
  std::vector<int32_t> centre, number;
  std::vector<const int32_t*> places;
};

}  // namespace deeptf_test
