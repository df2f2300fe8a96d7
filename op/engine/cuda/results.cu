// See results.h. The numbers of a frame are added up by several blocks and then these by one
// thread, always in the same order.
#include <limits>

#include "core/cuda/arrays.h"
#include "core/cuda/force_virial.h"
#include "engine/cuda/results.h"

namespace deeptf::device {
namespace {

constexpr int kThreads = 128;

struct PlaceNumber {
  int64_t width;
  const int32_t* atom;
  const double* numbers;
  double* of_atom;

  DEEPTF_HD void operator()(int64_t k) const {
    of_atom[atom[k / width] * width + k % width] = numbers[k];
  }
};

struct TakeNumber {
  int64_t width;
  const int32_t* atom;
  const double* of_atom;
  double* numbers;

  DEEPTF_HD void operator()(int64_t k) const {
    numbers[k] = of_atom[atom[k / width] * width + k % width];
  }
};

// part[blockIdx.y, frame, column]: the sum over one of gridDim.y parts of the rows of a frame;
// blockIdx.x has both others.
__global__ void __launch_bounds__(kThreads)
    frame_sum_kernel(const int32_t* frame_row, int64_t width, const double* of_row, double* part) {
  __shared__ double of_warp[kThreads / kLanes];
  const int64_t frame = blockIdx.x / width, column = blockIdx.x % width;
  const int64_t begin = frame_row[frame], number = frame_row[frame + 1] - begin;
  const int64_t first = begin + number * blockIdx.y / gridDim.y;
  const int64_t last = begin + number * (blockIdx.y + 1) / gridDim.y;
  double sum[1] = {};
  for (int64_t row = first + threadIdx.x; row < last; row += kThreads) {
    sum[0] += of_row[row * width + column];
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

void place_numbers(const Block& block, int64_t width, const double* numbers, double* of_atom) {
  for_each(block.cuda, width * block.num_atoms, PlaceNumber{width, block.atom, numbers, of_atom});
}

void take_numbers(const Block& block, int64_t width, const double* of_atom, double* numbers) {
  for_each(block.cuda, width * block.num_atoms, TakeNumber{width, block.atom, of_atom, numbers});
}

void sum_frames(const Cuda& cuda, const FrameRows& rows, int64_t width, const double* of_row,
                double* of_frame) {
  constexpr int64_t kRows = 512, kMostParts = 64;
  const int64_t sums = rows.num_frames * width;
  const int64_t parts = std::clamp<int64_t>(
      rows.num_rows / std::max<int64_t>(rows.num_frames, 1) / kRows, 1, kMostParts);
  auto* part = cuda.scratch<double>(parts * sums);
  launch(cuda, dim3(static_cast<unsigned>(sums), static_cast<unsigned>(parts)), kThreads,
         frame_sum_kernel, rows.frame_row, width, of_row, part);
  over_items(cuda, std::vector<AddParts<double, double>>{{sums, part, parts, sums, of_frame}});
}

void sum_frames(const Block& block, int64_t width, const double* of_atom, double* of_frame) {
  sum_frames(block.cuda, {block.num_frames, block.num_all, block.frame_row}, width, of_atom,
             of_frame);
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
