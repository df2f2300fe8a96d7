// Sums and tangents; see embedding_sum.h. A block of four warps has one atom. Its threads first
// find the places of up to 128 terms on the node grid, one each; then every warp takes every fourth
// term, and a lane 16 bytes of columns: the four rows of an interval are read once, in whole lines,
// through the L1 cache, which is the limit. The sums stay in registers.
#include <cstring>
#include <limits>

#include "core/cuda/curve_terms.h"
#include "core/cuda/embedding_sum.h"

namespace deeptf {
namespace {

template <class T>
struct Sums {
  PlacedPairs pairs;
  CurveTable<T> table;
  const double *rows, *direction;
  OutsidePairs outside;
  unsigned long long* largest;  // [T, T] argument beyond the range of the data, as ordered()
};

// Bits with the order of the numbers; 0 is below all of them.
DEEPTF_HD inline unsigned long long ordered(double x) {
  constexpr unsigned long long sign = 1ULL << 63;
  unsigned long long bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits & sign ? ~bits : bits | sign;
}

template <class T, int W, bool kTangent>
using TermOf = std::conditional_t<kTangent, TangentTerm<T, W>, Term<T, W>>;

// Shared by a block: the terms, then the sums of its warps. Little, since what shared memory takes
// is lost to the L1 cache.
template <class T, int W, bool kTangent>
union SumScratch {
  static constexpr int kColumns = kLanes * Vector<T>::kSize;
  struct {
    TermOf<T, W, kTangent> terms[kThreads];
    int32_t place[kThreads];
  };
  T partial[kWarps][W][kColumns];
};

// Term and place of pair k of a slice, or of its empty places.
template <class T, int W>
__device__ inline int32_t set_term(const Sums<T>& in, const Slice& slice, int32_t k,
                                   Term<T, W>* term) {
  if (k == slice.count) {
    const Interval at = place_of(in.table.segments, slice.curve, slice.empty_x).interval;
    term->set_place(at);
    for (int w = 0; w < W; ++w) term->weight[w] = w == 0 ? static_cast<T>(slice.empty_weight) : 0;
    return static_cast<int32_t>(in.table.place(at.node));
  }
  const double* row = in.rows + int64_t{slice.begin + k} * W;
  const Place at = place_of(in.table.segments, slice.curve, row[0]);
  if (at.outside && blockIdx.y == 0) {
    atomicAdd(in.outside.count + slice.block, 1);
    atomicMax(in.largest + slice.block, ordered(row[0]));
  }
  term->set_place(at.interval);
  term->set_weight(row);
  if (!in.table.holds(at.interval.node)) term->weight[0] = std::numeric_limits<T>::quiet_NaN();
  return static_cast<int32_t>(in.table.place(at.interval.node));
}

template <class T, int W>
__device__ inline int32_t set_term(const Sums<T>& in, const Slice& slice, int32_t k,
                                   TangentTerm<T, W>* term) {
  const int64_t pair = slice.begin + k;
  const Interval at = place_of(in.table.segments, slice.curve, in.rows[pair * W]).interval;
  term->set_place(at);
  term->set_weight(in.rows + pair * W, in.direction + pair * W);
  return static_cast<int32_t>(in.table.place(at.node));
}

template <class T, int W>
__device__ inline void add_term(const Term<T, W>& term, const T* node, int64_t padded,
                                T (&total)[W][Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
  T g[kSize] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const Vector<T> v = load_vector(node + i * padded);
#pragma unroll
    for (int c = 0; c < kSize; ++c)
      g[c] = kRise<T> && i == 0 ? v.at[c] : g[c] + term.value[i] * v.at[c];
  }
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int c = 0; c < kSize; ++c) total[w][c] += term.weight[w] * g[c];
  }
}

template <class T, int W>
__device__ inline void add_term(const TangentTerm<T, W>& term, const T* node, int64_t padded,
                                T (&total)[W][Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
  T g[kSize] = {}, d[kSize] = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const Vector<T> v = load_vector(node + i * padded);
#pragma unroll
    for (int c = 0; c < kSize; ++c) {
      g[c] = kRise<T> && i == 0 ? v.at[c] : g[c] + term.value[i] * v.at[c];
      if (!kRise<T> || i > 0) d[c] += term.derivative[i] * v.at[c];
    }
  }
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int c = 0; c < kSize; ++c) {
      total[w][c] += (W == 1 ? 0 : term.weight[w] * g[c]) + term.slope_weight[w] * d[c];
    }
  }
}

// sum[atom, w, columns of this block]; blockIdx.y counts blocks of columns.
template <class T, int W, bool kTangent>
__global__ void __launch_bounds__(kThreads, 8) sum_kernel(Sums<T> in, T* sum) {
  constexpr int kSize = Vector<T>::kSize, kColumns = SumScratch<T, W, kTangent>::kColumns;
  __shared__ SumScratch<T, W, kTangent> shared;
  const int64_t atom = blockIdx.x, width = in.table.width, padded = padded_width<T>(width);
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  const int64_t start = int64_t{blockIdx.y} * kColumns;
  const bool inside = start + lane * kSize < padded;
  const T* columns = in.table.nodes + start + lane * kSize;
  T total[W][kSize] = {};
  over_terms(
      in.pairs, atom, !kTangent,
      [&](const Slice& slice, int32_t k) {
        shared.place[threadIdx.x] = set_term(in, slice, k, &shared.terms[threadIdx.x]);
      },
      [&](int32_t count) {
#pragma unroll 2
        for (int k = warp; k < count && inside; k += kWarps) {
          const int64_t row = int64_t{shared.place[k]} * kTableRows<T>;
          add_term(shared.terms[k], columns + row * padded, padded, total);
        }
      });
  __syncthreads();
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int c = 0; c < kSize; ++c) shared.partial[warp][w][lane * kSize + c] = total[w][c];
  }
  __syncthreads();
  for (int k = threadIdx.x; k < W * kColumns; k += kThreads) {
    const int w = k / kColumns, column = k % kColumns;
    T all = 0;
    for (int from = 0; from < kWarps; ++from) all += shared.partial[from][w][column];
    if (start + column < width) sum[(atom * W + w) * width + start + column] = all;
  }
}

struct NothingOutside {
  OutsidePairs outside;
  unsigned long long* largest;

  DEEPTF_HD void operator()(int64_t block) const {
    outside.count[block] = 0;
    outside.closest[block] = -1;
    largest[block] = 0;
  }
};

// The first pair of the largest argument of each block that has one outside.
struct FindClosest {
  PlacedPairs pairs;
  const double* rows;
  OutsidePairs outside;
  const unsigned long long* largest;

  __device__ void operator()(int64_t k) const {
    const Slice slice = slice_of(pairs, k % pairs.num_atoms, k / pairs.num_atoms);
    if (slice.curve < 0 || outside.count[slice.block] == 0) return;
    auto* closest =
        reinterpret_cast<unsigned*>(outside.closest + slice.block);  // -1 is the largest
    for (int64_t pair = slice.begin; pair < slice.begin + slice.count; ++pair) {
      if (ordered(rows[pair * pairs.columns]) != largest[slice.block]) continue;
      atomicMin(closest, static_cast<unsigned>(pair));
      return;
    }
  }
};

template <bool kTangent, class T>
void launch_sum(const Sums<T>& in, const Cuda& cuda, T* sum) {
  constexpr int64_t columns = kLanes * Vector<T>::kSize;
  const dim3 grid(static_cast<unsigned>(in.pairs.num_atoms),
                  static_cast<unsigned>((in.table.width + columns - 1) / columns));
  if (in.pairs.columns == 1) {
    launch(cuda, grid, kThreads, sum_kernel<T, 1, kTangent>, in, sum);
  } else {
    launch(cuda, grid, kThreads, sum_kernel<T, 4, kTangent>, in, sum);
  }
}

}  // namespace

template <class T>
void embedding_sum(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                   const double* rows, T* sum, const OutsidePairs& outside) {
  const int64_t blocks = pairs.num_types * pairs.num_types;
  auto* largest = cuda.scratch<unsigned long long>(blocks);
  for_each(cuda, blocks, NothingOutside{outside, largest});
  launch_sum<false>(Sums<T>{pairs, table, rows, nullptr, outside, largest}, cuda, sum);
  for_each(cuda, pairs.num_atoms * pairs.num_types, FindClosest{pairs, rows, outside, largest});
}

template <class T>
void embedding_sum_tangent(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                           const double* rows, const double* direction, T* tangent) {
  launch_sum<true>(Sums<T>{pairs, table, rows, direction, {}, nullptr}, cuda, tangent);
}

#define DEEPTF_INSTANTIATE(T)                                                                   \
  template void embedding_sum<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&,         \
                                 const double*, T*, const OutsidePairs&);                       \
  template void embedding_sum_tangent<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&, \
                                         const double*, const double*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
