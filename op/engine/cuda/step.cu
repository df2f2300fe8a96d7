// What the work of a step is (workspace.h).
#include "core/cuda/curve_pairs.h"
#include "core/cuda/memory.h"
#include "core/cuda/pair_order.h"
#include "engine/cuda/results.h"
#include "engine/cuda/spins.h"
#include "engine/cuda/step.h"

namespace deeptf::device {
namespace {

// energy = weight . value
struct Weigh {
  int64_t width;
  const double *value, *weight;
  double* energy;

  DEEPTF_HD void operator()(int64_t atom) const {
    double sum = 0;
    for (int64_t k = atom * width; k < (atom + 1) * width; ++k) sum += value[k] * weight[k];
    energy[atom] = sum;
  }
};

}  // namespace

Workspace::Step::Step(const Plan& plan, const Description& about, Door* door,
                      const deeptf_options& options, const deeptf_results& results)
    : plan(plan),
      inputs(about.inputs),
      door(door),
      options(options),
      with_gradient(results.force != nullptr || results.virial != nullptr ||
                    results.atom_virial != nullptr),
      with_atom_virial(results.atom_virial != nullptr && door->has_virial),
      count(inputs.num_types) {
  for (int64_t atom = 0; atom < door->num_owned; ++atom) {
    const int32_t type = door->type[atom];
    if (type < 0 || type >= inputs.num_real_types()) continue;
    ++count[type];
    ++num_real;
  }
  if (about.spins.count() > 0) {
    spins = find_spins(about.spins, inputs.num_types, door->num_frames, door->atom_row().data(),
                       door->type);
  }
  if (plan.charges() == nullptr) return;
  sites = plan.charges()->sites(door->type, door->num_owned, door->frame_row);
  grids = plan.charges()->grids(door->cell(), door->num_frames);
}

void Workspace::queue(const Step& step, const Room& room) {
  const Cuda own = cuda();
  const int64_t most_pairs = room.pairs;
  clear_results(own, &downloads_);
  Block block{own,
              &arena_,
              step.num_real,
              step.door->num_all,
              step.door->num_frames,
              most_pairs,
              step.inputs.num_types,
              step.count.data(),
              nullptr,
              uploads_.at<int32_t>(numbers_.type),
              uploads_.at<int32_t>(numbers_.frame_row),
              uploads_.at<double>(numbers_.fparam),
              uploads_.at<double>(numbers_.aparam),
              nullptr,
              nullptr,
              nullptr,
              nullptr,
              nullptr,
              nullptr,
              downloads_.outside_count(),
              downloads_.outside_distance(),
              room.triples,
              &downloads_.outcome()->num_triples,
              &downloads_.outcome()->refused};
  if (step.num_real == 0) return queue_lonely_charges(step, block);
  const int64_t n = step.num_real, types = step.inputs.num_types, all = step.door->num_all;
  const PairCounts counts{own.scratch<int32_t>(n),         own.scratch<int32_t>(types),
                          own.scratch<int32_t>(n * types), own.scratch<int32_t>(types * types),
                          own.scratch<int32_t>(n * types), own.scratch<int32_t>(all + 1)};
  const SortedPairs sorted{own.scratch<int32_t>(most_pairs), own.scratch<int32_t>(most_pairs),
                           own.scratch<double>(3 * most_pairs), own.scratch<int32_t>(most_pairs)};
  {
    const Arena::Scope scope(&arena_);
    auto* outcome = own.scratch<SearchOutcome>(1);
    fill_zero(own, sizeof *outcome, outcome);
    PairList list{};
    step.door->search(own, arrays(outcome), most_pairs, &list);
    const auto centre_types = static_cast<int32_t>(step.inputs.num_real_types());
    CudaPairSorter sorter(list, centre_types, n, most_pairs, own);
    sorter.fill(counts, sorted);
    set_outcome(own, outcome, sorter.wrong(), &downloads_);
  }
  const PlacedPairs placed = place_pairs({n, most_pairs, types, 0, counts.atom_count,
                                          counts.neighbor_count, nullptr, nullptr, nullptr},
                                         own);
  block.atom = counts.atom_order;
  block.atom_count = counts.atom_count;
  block.neighbor_count = counts.neighbor_count;
  block.first = placed.first;
  block.type = placed.type;
  block.centre = sorted.centre;
  block.displacement = sorted.displacement;
  queue_plan(step, block,
             {most_pairs, n, all, types, counts.atom_order, counts.first_pair,
              counts.neighbor_count, counts.pair_row, sorted.pair_of},
             sorted.neighbor);
}

void Workspace::queue_plan(const Step& step, const Block& block, const PairsOfAtoms& pairs,
                           const int32_t* neighbor) {
  const Cuda& own = block.cuda;
  const int64_t count = step.inputs.width * block.num_atoms;
  auto* value = own.scratch<double>(count);
  double* gradient = step.with_gradient ? own.scratch<double>(3 * block.num_pairs) : nullptr;
  double* weight = nullptr;
  if (step.options.weight != nullptr) {
    weight = own.scratch<double>(count);
    take_numbers(block, step.inputs.width, uploads_.at<double>(numbers_.weight), weight);
  }
  step.plan.evaluate(block, weight, value, gradient);
  const std::unique_ptr<ChargeSum> charges = charges_of(step, block);
  if (charges && !charges->run(step.with_atom_virial, adder_of(step, block))) return;
  queue_values(step, block, value, weight, charges.get());
  if (!step.with_gradient) return;
  if (charges) charges->add_gradient(gradient);
  add_forces(block, pairs, neighbor, gradient, step.with_atom_virial, &downloads_);
  if (charges) add_charge_forces(*charges);
  if (!step.spins.spin.empty()) give_back_spins(step, block);
  if (!step.door->has_virial) set_zero(own, downloads_.virial(), 9 * block.num_frames);
}

// Queues energies, or other properties and, where they have weights, energies of these.
void Workspace::queue_values(const Step& step, const Block& block, const double* value,
                             const double* weight, const ChargeSum* charges) {
  const int64_t width = step.width();
  const double* energy = value;
  if (width > 0) {
    place_numbers(block, width, value, downloads_.atom_value());
    sum_frames(block, width, downloads_.atom_value(), downloads_.value());
    if (weight == nullptr) return;
    auto* weighted = block.cuda.scratch<double>(block.num_atoms);
    for_each(block.cuda, block.num_atoms, Weigh{width, value, weight, weighted});
    energy = weighted;
  }
  place_numbers(block, 1, energy, downloads_.atom_energy());
  if (charges != nullptr) charges->add_energies(downloads_.atom_energy());
  sum_frames(block, 1, downloads_.atom_energy(), downloads_.energy());
}

std::unique_ptr<ChargeSum> Workspace::charges_of(const Step& step, const Block& block) {
  if (step.plan.charges() == nullptr) return nullptr;
  const ChargedAtoms atoms{*step.plan.charges(),
                           step.sites,
                           step.grids,
                           uploads_.at<int32_t>(numbers_.site_atom),
                           uploads_.at<int32_t>(numbers_.site_first),
                           step.door->coord(&uploads_),
                           step.door->num_centres,
                           std::max(step.options.num_parts, 1)};
  return std::make_unique<ChargeSum>(atoms, block, step.with_gradient);
}

// How the structure factor of a frame becomes that of all its parts: on the host. Each part asks
// once, so a step that must be done again with more room ends here.
PartsAdder Workspace::adder_of(const Step& step, const Block& block) {
  if (step.options.add_parts == nullptr) return {};
  return [this, &step, &block](double* factor, int64_t count) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(double);
    char* host = parts_.at_least(sizeof(StepOutcome) + bytes);
    char* numbers = host + sizeof(StepOutcome);
    copy(block.cuda, downloads_.outcome(), sizeof(StepOutcome), host);
    copy(block.cuda, factor, bytes, numbers);
    wait(block.cuda);
    const auto* outcome = reinterpret_cast<const StepOutcome*>(host);
    if (!outcome->is_whole(block.num_pairs, block.most_triples)) return false;
    step.options.add_parts(step.options.parts, reinterpret_cast<double*>(numbers), count);
    copy(block.cuda, numbers, bytes, factor);
    return true;
  };
}

void Workspace::add_charge_forces(const ChargeSum& charges) {
  charges.add_forces(downloads_.force(), downloads_.virial(), downloads_.atom_virial());
}

void Workspace::give_back_spins(const Step& step, const Block& block) {
  const SpinsOfStep spins{static_cast<int64_t>(step.spins.spin.size()),
                          uploads_.at<Spin>(numbers_.spin), uploads_.at<int32_t>(numbers_.spin_row),
                          step.door->coord(&uploads_), step.door->image_cell(&uploads_)};
  give_back(block, spins, step.with_atom_virial, &downloads_);
}

// A part without atoms has to do with the sum of all.
void Workspace::queue_lonely_charges(const Step& step, const Block& block) {
  const std::unique_ptr<ChargeSum> charges = charges_of(step, block);
  if (!charges || !charges->run(false, adder_of(step, block))) return;
  if (step.with_gradient) add_charge_forces(*charges);
}

}  // namespace deeptf::device
