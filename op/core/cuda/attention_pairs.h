// What attention and its derivatives share on a GPU. A block takes tiles of own pairs of one atom
// and goes through all others; the matrices of an atom are made tile by tile and never stored. What
// a row j sums up over k (RowSums) is known before derivatives are made. These need sums over k for
// each j and over j for each k: kernels that run once with j and once with k as own pairs.
#pragma once

#include <cmath>

#include "core/cuda/runs.h"
#include "core/cuda/tiles.h"
#include "core/cuda/unit_rows.h"
#include "core/nets/attention.h"
#include "core/nets/attention_formulas.h"

namespace deeptf {

// On the device; parts and directions have unit length.
template <class T>
struct AttentionPairs {
  PlacedRuns runs;
  int64_t places;
  bool smooth, dotr, diagonal;
  const T *attended, *direction, *gate;
};

// Inputs of unit length, in scratch memory.
template <class T>
struct UnitInputs {
  UnitInputs(const AttentionShape& shape, const Cuda& cuda, const AttentionArrays<T>& in)
      : parts(unit_rows(cuda, kParts * shape.runs.num_pairs, shape.runs.width, in.attended)),
        directions(unit_rows(cuda, shape.dotr ? shape.runs.num_pairs : 0, 3, in.direction)),
        pairs{place_runs(shape.runs, cuda),
              shape.places,
              shape.smooth,
              shape.dotr,
              shape.diagonal,
              parts.unit,
              directions.unit,
              in.gate} {}

  CudaUnitRows<T> parts, directions;
  AttentionPairs<T> pairs;
};

// Blocks that a multiprocessor has room for at least, which says how many registers a kernel may
// take: those with derivatives to so many orders.
template <class T>
constexpr int least_blocks(int order) {
  return order < 2 || sizeof(T) == 4 ? 2 : 1;
}

// What row j sums up over k, divided by the sum of exponentials.
template <class T>
struct RowSums {
  T inverse;            // of the sum of exponentials
  T mean;               // of w W_
  T rate, mean_change;  // of the logarithm of the sum of exponentials, of `mean`
};

// Own and other pairs of a tile of one atom.
struct TilePlace {
  int64_t first;  // pair of the atom
  int32_t count;
  int32_t own, other;  // where the tile begins in its pairs

  __device__ bool has(int index) const {
    return own + own_of(index) < count && other + tile_lane() < count;
  }
  __device__ int64_t own_pair(int index) const { return first + own + own_of(index); }
  __device__ int64_t other_pair() const { return first + other + tile_lane(); }
  __device__ bool has_own(int index) const { return own + own_of(index) < count; }

  // Of arrays [p, width] and parts of arrays [p, 3, width].
  template <class T>
  __device__ TileRows<T> own_rows(const T* data, int32_t width) const {
    return {data + (first + own) * width, width, width, count - own};
  }
  template <class T>
  __device__ TileRows<T> other_rows(const T* data, int32_t width) const {
    return {data + (first + other) * width, width, width, count - other};
  }
  template <class T>
  __device__ TileRows<T> own_part(const T* data, Part part, int32_t width) const {
    const int64_t stride = kParts * width;
    return {data + (first + own) * stride + part * width, stride, width, count - own};
  }
  template <class T>
  __device__ TileRows<T> other_part(const T* data, Part part, int32_t width) const {
    const int64_t stride = kParts * width;
    return {data + (first + other) * stride + part * width, stride, width, count - other};
  }
  // Set by the first other tile, added to by the rest.
  template <class T>
  __device__ TileTarget<T> target(T* data, int32_t width) const {
    return {data + (first + own) * width, width, count - own, other > 0};
  }
  template <class T>
  __device__ TileTarget<T> part_target(T* data, Part part, int32_t width) const {
    const int64_t stride = kParts * width;
    return {data + (first + own) * stride + part * width, stride, count - own, other > 0};
  }
};

// Blocks for all own tiles; an atom with many pairs gives several to one of them.
inline dim3 tile_grid(const Runs& runs) {
  const int64_t mean = runs.num_pairs / std::max<int64_t>(1, runs.num_atoms);
  return dim3(static_cast<unsigned>(runs.num_atoms),
              static_cast<unsigned>(std::min<int64_t>(mean / kTile + 1, 65535)));
}

// Calls body(place) for the own tiles of this block, at its first other tile.
template <class Body>
__device__ inline void over_own_tiles(const PlacedRuns& runs, const Body& body) {
  const int64_t first = runs.first[blockIdx.x];
  const int32_t count = runs.count[blockIdx.x], step = static_cast<int32_t>(gridDim.y) * kTile;
  for (int32_t own = static_cast<int32_t>(blockIdx.y) * kTile; own < count; own += step) {
    body(TilePlace{first, count, own, 0});
  }
}

// Calls put(pair) in the lane that add_sums gives the sums of an own pair.
template <class Put>
__device__ inline void over_own_sums(const TilePlace& at, const Put& put) {
  if (tile_lane() < kOwn && at.has_own(tile_lane())) put(at.own_pair(tile_lane()));
}

// Row j and column k, and what they have.
template <class T>
struct AttentionPair {
  __device__ AttentionPair(const AttentionPairs<T>& in, int64_t j, int64_t k)
      : in(in), j(j), k(k) {}

  __device__ bool left_out() const { return !in.diagonal && j == k; }
  __device__ T lifted(T score) const { return score + attention_lift<T>(in.smooth); }

  // The term with e^l for the share.
  __device__ AttentionTerm<T> term(T score) const {
    const T pj = in.gate[j], pk = in.gate[k], lift = attention_lift<T>(in.smooth);
    const T gate = in.smooth ? pj * pk : pj, scale = in.smooth ? gate : T(1);
    const T e = std::exp(lifted(score) * scale - lift);
    return {gate, scale, in.dotr ? dot(in.direction, in.direction) : T(1), in.smooth ? e : e * pk};
  }
  // x_j . y_k
  __device__ T dot(const T* x, const T* y) const {
    return x[3 * j] * y[3 * k] + x[3 * j + 1] * y[3 * k + 1] + x[3 * j + 2] * y[3 * k + 2];
  }

  const AttentionPairs<T>& in;
  int64_t j, k;
};

// Sums over the others for an own pair: the gradient of its gate, which is one if smooth, and of
// its direction. Those of the columns, which come second, are added to those of the rows.
template <bool kColumns, class T>
__device__ inline void put_small(const AttentionPairs<T>& in, int64_t pair, const T* sum,
                                 const AttentionGrads<T>& grad) {
  const T gate = in.smooth ? sum[0] : T(0);
  grad.gate[pair] = kColumns ? grad.gate[pair] + gate : gate;
#pragma unroll
  for (int d = 0; d < 3; ++d) {
    T* at = grad.direction + 3 * pair + d;
    *at = kColumns ? *at + sum[1 + d] : sum[1 + d];
  }
}

// 1 / the sum of exponentials of a row; 0 where all pairs are shut out.
template <class T>
__device__ inline T inverse_sum(const AttentionPairs<T>& in, int32_t count, T of_pairs) {
  const T lift = attention_lift<T>(true);
  const T sum = of_pairs + (in.smooth ? static_cast<T>(in.places - count) * std::exp(-lift) : T(0));
  return sum > 0 ? 1 / sum : T(0);
}

}  // namespace deeptf
