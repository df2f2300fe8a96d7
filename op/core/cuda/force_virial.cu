// See force_virial.h. The virial of a frame is that of its centres, added up by several blocks and
// then these by one thread a number, always in the same order.
#include <cmath>

#include "core/cuda/device.h"
#include "core/cuda/force_virial.h"
#include "core/cuda/frame_of_atom.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

// Adds g and the virial -g r of the own pairs of a place, every 32nd one, from `lane` on; values:
// force [3], virial [9]. False if they are out of range.
__device__ inline bool add_own(const PairsOfAtoms& pairs, const double* displacement,
                               const double* pair_gradient, int64_t place, double* values) {
  for (int64_t k = place * pairs.num_types; k < (place + 1) * pairs.num_types; ++k) {
    const int64_t first = pairs.first_pair[k], end = first + pairs.neighbor_count[k];
    if (first < 0 || first > end || end > pairs.num_pairs) return false;
    for (int64_t pair = first + threadIdx.x % kLanes; pair < end; pair += kLanes) {
      const double *r = displacement + 3 * pair, *g = pair_gradient + 3 * pair;
      for (int a = 0; a < 3; ++a) {
        values[a] += g[a];
        for (int b = 0; b < 3; ++b) values[3 + 3 * a + b] -= g[a] * r[b];
      }
    }
  }
  return true;
}

// The force and the virial of the own pairs of each centre; those of other atoms are zero before.
__global__ void __launch_bounds__(kThreads)
    own_kernel(PairsOfAtoms pairs, const double* displacement, const double* pair_gradient,
               double* force, double* centre_virial, int32_t* wrong) {
  const int64_t place = warp_index();
  if (place >= pairs.num_real) return;
  const int64_t atom = pairs.atom_order[place];
  double values[16] = {};
  const bool known = atom >= 0 && atom < pairs.num_all;
  if (!known || !add_own(pairs, displacement, pair_gradient, place, values)) {
    if (threadIdx.x % kLanes == 0) mark(wrong);
    return;
  }
  const double sum = warp_sums(values);
  const int value = threadIdx.x % kLanes;
  if (value < 3) force[3 * atom + value] = sum;
  if (value >= 3 && value < 12) centre_virial[9 * atom + value - 3] = sum;
}

// Calls add(pair) for the pairs in which a warp's atom is the neighbour, every 32nd one. False if
// they are out of range.
template <class Add>
__device__ bool for_each_reverse(const PairsOfAtoms& pairs, int64_t atom, const Add& add) {
  const int32_t begin = pairs.pair_row[atom], end = pairs.pair_row[atom + 1];
  bool right = begin >= 0 && begin <= end && end <= pairs.num_pairs;
  for (int64_t place = begin + threadIdx.x % kLanes; right && place < end; place += kLanes) {
    const int64_t pair = pairs.pair_of[place];
    right = pair >= 0 && pair < pairs.num_pairs;
    if (right) add(pair);
  }
  return __ballot_sync(kAllLanes, !right) == 0;
}

// Takes away what the neighbours of an atom have of its force.
__global__ void __launch_bounds__(kThreads)
    reverse_kernel(PairsOfAtoms pairs, const double* pair_gradient, const int32_t* wrong,
                   double* force) {
  const int64_t atom = warp_index();
  if (atom >= pairs.num_all) return;
  double values[4] = {};
  const bool right = for_each_reverse(pairs, atom, [&](int64_t pair) {
    for (int k = 0; k < 3; ++k) values[k] += pair_gradient[3 * pair + k];
  });
  const double sum = warp_sums(values);
  const int axis = threadIdx.x % kLanes;
  if (axis < 3) force[3 * atom + axis] -= right && *wrong == 0 ? sum : NAN;
}

__global__ void __launch_bounds__(kThreads)
    atom_virial_kernel(PairsOfAtoms pairs, const double* displacement, const double* pair_gradient,
                       double* virial) {
  const int64_t atom = warp_index();
  if (atom >= pairs.num_all) return;
  double values[16] = {};
  const bool right = for_each_reverse(pairs, atom, [&](int64_t pair) {
    const double *r = displacement + 3 * pair, *g = pair_gradient + 3 * pair;
    for (int k = 0; k < 9; ++k) values[k] -= g[k / 3] * r[k % 3];
  });
  const double sum = warp_sums(values);
  const int value = threadIdx.x % kLanes;
  if (value < 9) virial[9 * atom + value] = right ? sum : NAN;
}

// part[frame, blockIdx.y, 9]: the sum over one of gridDim.y parts of the atoms of frame blockIdx.x.
__global__ void __launch_bounds__(kThreads)
    frame_virial_kernel(const int32_t* frame_row, int64_t num_all, const double* centre_virial,
                        double* part) {
  __shared__ double of_warp[kThreads / kLanes][16];
  const int32_t begin = frame_row[blockIdx.x], end = frame_row[blockIdx.x + 1];
  const bool right = begin >= 0 && begin <= end && end <= num_all;
  const int64_t number = right ? end - begin : 0;
  const int64_t first = begin + number * blockIdx.y / gridDim.y;
  const int64_t last = begin + number * (blockIdx.y + 1) / gridDim.y;
  double values[16] = {};
  for (int64_t atom = first + threadIdx.x; atom < last; atom += kThreads) {
    for (int k = 0; k < 9; ++k) values[k] += centre_virial[9 * atom + k];
  }
  const double sum = warp_sums(values);
  if (threadIdx.x % kLanes < 16) of_warp[threadIdx.x / kLanes][threadIdx.x % kLanes] = sum;
  __syncthreads();
  if (threadIdx.x >= 9) return;
  double total = right ? 0 : NAN;
  for (int warp = 0; warp < kThreads / kLanes; ++warp) total += of_warp[warp][threadIdx.x];
  part[9 * (int64_t{blockIdx.x} * gridDim.y + blockIdx.y) + threadIdx.x] = total;
}

struct AddVirial {
  int64_t parts;
  const double* part;
  const int32_t* wrong;
  double* virial;

  DEEPTF_HD void operator()(int64_t k) const {
    double sum = *wrong == 0 ? 0 : NAN;
    for (int64_t p = 0; p < parts; ++p) sum += part[9 * (k / 9 * parts + p) + k % 9];
    virial[k] = sum;
  }
};

void sum_virial(const ForceInputs& in, const Cuda& cuda, const double* centre_virial,
                const int32_t* wrong, double* virial) {
  constexpr int64_t kAtoms = 512, kMostParts = 64;
  if (in.num_frames == 0) return;
  const int64_t parts = std::clamp<int64_t>(in.num_all / in.num_frames / kAtoms, 1, kMostParts);
  auto* part = cuda.scratch<double>(9 * in.num_frames * parts);
  launch(cuda, dim3(static_cast<unsigned>(in.num_frames), static_cast<unsigned>(parts)), kThreads,
         frame_virial_kernel, in.frame_row, in.num_all, centre_virial, part);
  for_each(cuda, 9 * in.num_frames, AddVirial{parts, part, wrong, virial});
}

struct PairGrad {
  ForceInputs in;
  const double *force_grad, *virial_grad;
  double* pair_gradient;

  DEEPTF_HD void operator()(int64_t pair) const {
    const int32_t centre = in.centre[pair], neighbor = in.neighbor[pair];
    double grad[3] = {NAN, NAN, NAN};
    if (centre >= 0 && centre < in.frame_row[in.num_frames] && centre < in.num_all &&
        neighbor >= 0 && neighbor < in.num_all) {
      const double *i = force_grad + int64_t{3} * centre, *j = force_grad + int64_t{3} * neighbor;
      const double* v = virial_grad + 9 * frame_of_atom(in.frame_row, in.num_frames, centre);
      const double* r = in.displacement + 3 * pair;
      for (int a = 0; a < 3; ++a) {
        const double stretch = v[3 * a] * r[0] + v[3 * a + 1] * r[1] + v[3 * a + 2] * r[2];
        grad[a] = i[a] - j[a] - stretch;
      }
    }
    for (int b = 0; b < 3; ++b) pair_gradient[3 * pair + b] = grad[b];
  }
};

}  // namespace

void force_virial(const ForceInputs& in, const PairsOfAtoms& pairs, const Cuda& cuda,
                  const double* pair_gradient, double* force, double* virial) {
  auto* centre_virial = cuda.scratch<double>(9 * pairs.num_all);
  auto* wrong = cuda.scratch<int32_t>(1);
  set_zero(cuda, wrong, 1);
  set_zero(cuda, force, 3 * pairs.num_all);
  set_zero(cuda, centre_virial, 9 * pairs.num_all);
  launch(cuda, blocks_of_warps(pairs.num_real, kThreads), kThreads, own_kernel, pairs,
         in.displacement, pair_gradient, force, centre_virial, wrong);
  launch(cuda, blocks_of_warps(pairs.num_all, kThreads), kThreads, reverse_kernel, pairs,
         pair_gradient, wrong, force);
  sum_virial(in, cuda, centre_virial, wrong, virial);
}

void force_virial_grad(const ForceInputs& in, const Cuda& cuda, const double* force_grad,
                       const double* virial_grad, double* pair_gradient) {
  for_each(cuda, in.num_pairs, PairGrad{in, force_grad, virial_grad, pair_gradient});
}

void atom_virial(const PairsOfAtoms& pairs, const Cuda& cuda, const double* displacement,
                 const double* pair_gradient, double* virial) {
  launch(cuda, blocks_of_warps(pairs.num_all, kThreads), kThreads, atom_virial_kernel, pairs,
         displacement, pair_gradient, virial);
}

}  // namespace deeptf
