// See results.h. The energy of a frame is added up by several blocks and then these by one thread,
// always in the same order.
#include <limits>

#include "core/cuda/arrays.h"
#include "core/cuda/force_virial.h"
#include "engine/cuda/results.h"

namespace deeptf::device {
namespace {

constexpr int kThreads = 128;

struct PlaceEnergy {
  const int32_t* atom;
  const double* energy;
  double* atom_energy;

  DEEPTF_HD void operator()(int64_t k) const { atom_energy[atom[k]] = energy[k]; }
};

// part[blockIdx.y, frame]: the sum over one of gridDim.y parts of the atoms of frame blockIdx.x.
__global__ void __launch_bounds__(kThreads)
    frame_energy_kernel(const int32_t* frame_row, const double* atom_energy, double* part) {
  __shared__ double of_warp[kThreads / kLanes];
  const int64_t begin = frame_row[blockIdx.x], number = frame_row[blockIdx.x + 1] - begin;
  const int64_t first = begin + number * blockIdx.y / gridDim.y;
  const int64_t last = begin + number * (blockIdx.y + 1) / gridDim.y;
  double sum[1] = {};
  for (int64_t atom = first + threadIdx.x; atom < last; atom += kThreads) {
    sum[0] += atom_energy[atom];
  }
  const double of_own = warp_sums(sum);
  if (threadIdx.x % kLanes == 0) of_warp[threadIdx.x / kLanes] = of_own;
  __syncthreads();
  if (threadIdx.x > 0) return;
  double total = 0;
  for (const double one : of_warp) total += one;
  part[int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = total;
}

struct SetOutcome {
  const SearchOutcome* search;
  const int32_t* wrong;
  SearchOutcome* outcome;

  DEEPTF_HD void operator()(int64_t) const {
    *outcome = {search->num_pairs, search->wrong | *wrong};
  }
};

}  // namespace

void clear_results(const Cuda& cuda, Downloads* results) {
  const int64_t types = results->sizes().num_types;
  set_zero(cuda, results->begin(), static_cast<int64_t>(results->bytes()));
  for_each(cuda, types * types,
           Fill<double>{std::numeric_limits<double>::infinity(), results->outside_distance()});
}

void add_energies(const Block& block, const double* energy, Downloads* results) {
  constexpr int64_t kAtoms = 512, kMostParts = 64;
  const Cuda& cuda = block.cuda;
  const int64_t frames = block.num_frames;
  for_each(cuda, block.num_atoms, PlaceEnergy{block.atom, energy, results->atom_energy()});
  const int64_t parts = std::clamp<int64_t>(block.num_all / frames / kAtoms, 1, kMostParts);
  auto* part = cuda.scratch<double>(parts * frames);
  launch(cuda, dim3(static_cast<unsigned>(frames), static_cast<unsigned>(parts)), kThreads,
         frame_energy_kernel, block.frame_row, results->atom_energy(), part);
  over_items(cuda, std::vector<AddParts<double, double>>{
                       {frames, part, parts, frames, results->energy()}});
}

void add_forces(const Block& block, const PairsOfAtoms& pairs, const int32_t* neighbor,
                const double* pair_gradient, bool with_atoms, Downloads* results) {
  const ForceInputs in{pairs.num_pairs, pairs.num_all, block.num_frames, block.displacement,
                       block.centre,    neighbor,      block.frame_row};
  force_virial(in, pairs, block.cuda, pair_gradient, results->force(), results->virial());
  if (!with_atoms) return;
  atom_virial(pairs, block.cuda, block.displacement, pair_gradient, results->atom_virial());
}

void set_outcome(const Cuda& cuda, const SearchOutcome* search, const int32_t* wrong,
                 Downloads* results) {
  for_each(cuda, 1, SetOutcome{search, wrong, &results->outcome()->search});
}

}  // namespace deeptf::device
