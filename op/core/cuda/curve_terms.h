// What the kernels on tabulated curves share: the slices of an atom, places on the grids, and terms
// that the threads of a block find together, one each.
#pragma once

#include "core/cuda/curve_pairs.h"
#include "core/cuda/device.h"
#include "core/curve/hermite.h"

namespace deeptf {

constexpr int kWarps = 4, kThreads = kWarps * kLanes;  // of a block

// The pairs of an atom with neighbours of one type, and its empty places of that type.
struct Slice {
  int64_t block;   // neighbour type, centre type
  int32_t curve;   // -1: left out
  int32_t begin;   // first pair
  int32_t count;   // pairs
  double empty_x;  // of an empty place
  double empty_weight;
};

DEEPTF_HD inline Slice slice_of(const PlacedPairs& pairs, int64_t atom, int64_t t) {
  const int64_t block = t * pairs.num_types + pairs.type[atom];
  const int32_t count = pairs.neighbor_count[atom * pairs.num_types + t];
  return {block, pairs.curve[block], pairs.first[t * pairs.num_atoms + atom],
          count, pairs.empty[block], pairs.empty_weight(block, count)};
}

struct Place {
  Interval interval;
  bool outside;  // of the range of the data
};

DEEPTF_HD inline Place place_of(const CurveSegments& segments, int32_t curve, double x) {
  const Stretch data = data_stretch(segments, curve);
  const bool outside = x > data.end;
  const int64_t segment = (outside ? near_stretch(segments, curve) : data).segment_at(x);
  return {interval_in(segments, segment, 1 / segments.grid[2 * segment + 1], x), outside};
}

// Of a pair or of empty places: value [4] weighs the numbers of an interval, weight [W] the result.
template <class T, int W>
struct alignas(16) Term {
  static constexpr int kColumns = W;
  static constexpr bool kTangent = false;
  T value[4], weight[W];

  __device__ void set_place(const Interval& interval) {
    T derivative[4];
    hermite_weights<T>(interval, value, derivative);
  }
  __device__ void set_weight(const double* row) {
    for (int w = 0; w < W; ++w) weight[w] = W == 1 ? T(1) : static_cast<T>(row[w]);
  }
};

template <class T, int W>
struct SlopeTerm : Term<T, W> {
  T derivative[4];

  __device__ void set_place(const Interval& interval) {
    hermite_weights<T>(interval, this->value, derivative);
  }
};

// weight (x) G + slope_weight (x) G'; the weight of G is not used where W is 1.
template <class T, int W>
struct TangentTerm : SlopeTerm<T, W> {
  static constexpr bool kTangent = true;
  T slope_weight[W];

  __device__ void set_weight(const double* row, const double* direction) {
    for (int w = 0; w < W; ++w) {
      slope_weight[w] = (W == 1 ? T(1) : static_cast<T>(row[w])) * static_cast<T>(direction[0]);
      this->weight[w] = static_cast<T>(direction[w]);
    }
  }
};

// Sets the place of empty places, and their weight.
template <class T, int W>
__device__ inline void set_empty(const Slice& slice, const Interval& at, Term<T, W>* term) {
  term->set_place(at);
  for (int w = 0; w < W; ++w) term->weight[w] = w == 0 ? static_cast<T>(slice.empty_weight) : 0;
}

// G of the columns of a lane from the rows of an interval, which begin at `node`; d stays.
template <class T, int W>
__device__ inline void interpolate(const Term<T, W>& term, const T* node, int64_t padded,
                                   T (&g)[Vector<T>::kSize], T (&)[Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const Vector<T> v = load_vector(node + i * padded);
#pragma unroll
    for (int c = 0; c < kSize; ++c)
      g[c] = kRise<T> && i == 0 ? v.at[c] : g[c] + term.value[i] * v.at[c];
  }
}

// The same and G'; both are zero before.
template <class T, int W>
__device__ inline void interpolate(const SlopeTerm<T, W>& term, const T* node, int64_t padded,
                                   T (&g)[Vector<T>::kSize], T (&d)[Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const Vector<T> v = load_vector(node + i * padded);
#pragma unroll
    for (int c = 0; c < kSize; ++c) {
      g[c] = kRise<T> && i == 0 ? v.at[c] : g[c] + term.value[i] * v.at[c];
      if (!kRise<T> || i > 0) d[c] += term.derivative[i] * v.at[c];
    }
  }
}

// The upper gradients [W, width] of an atom for the columns of one lane from `start` on, in groups
// of a warp's; zero beyond the width.
template <class T, int W, int kBlocks>
__device__ inline void load_upper(const T* upper, int64_t width, int64_t start,
                                  T (&y)[W][kBlocks][Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int b = 0; b < kBlocks; ++b) {
#pragma unroll
      for (int c = 0; c < kSize; ++c) {
        const int64_t column = start + (b * kLanes + threadIdx.x % kLanes) * kSize + c;
        y[w][b][c] = column < width ? upper[w * width + column] : T(0);
      }
    }
  }
}

// Goes through what an atom adds, kThreads at a time: a thread whose turn it is calls set(slice, k)
// for pair k of a slice, or for its empty places where k is the number of pairs; then all call
// use(how many there are). Both may meet barriers inside of use only.
template <class Set, class Use>
__device__ inline void over_terms(const PlacedPairs& pairs, int64_t atom, bool with_empty,
                                  const Set& set, const Use& use) {
  int64_t t = 0;
  for (int32_t done = 0;;) {
    int32_t used = 0;
    while (t < pairs.num_types && used < kThreads) {
      const Slice slice = slice_of(pairs, atom, t);
      const int32_t empty = with_empty && slice.empty_weight != 0 ? 1 : 0;
      const int32_t count = slice.curve < 0 ? 0 : slice.count + empty;
      const int32_t taken = count - done < kThreads - used ? count - done : kThreads - used;
      const int32_t mine = static_cast<int32_t>(threadIdx.x) - used;
      if (mine >= 0 && mine < taken) set(slice, done + mine);
      done += taken;
      used += taken;
      if (done == count) {
        done = 0;
        ++t;
      }
    }
    __syncthreads();
    use(used);
    if (t == pairs.num_types) return;
    __syncthreads();
  }
}

}  // namespace deeptf
