// Tiles of matrices that the pairs of an atom make with one another, for a block of threads: 32 own
// pairs and 32 others. A warp has four of the own pairs and a lane one of the others, so a thread
// has a number of each of these four with this one: what is made of them stays in registers.
// Products of rows go through shared memory, 32 columns at a time, in vectors of 16 bytes.
#pragma once

#include "core/cuda/device.h"

namespace deeptf {

constexpr int kTile = kLanes, kTileWarps = 8, kTileThreads = kTileWarps * kLanes;
constexpr int kOwn = kTile / kTileWarps;  // own pairs of a thread

__device__ inline int tile_lane() { return static_cast<int>(threadIdx.x % kLanes); }
// Own pair number `index` of this thread.
__device__ inline int own_of(int index) {
  return static_cast<int>(threadIdx.x / kLanes) * kOwn + index;
}

template <class T>
struct TileMemory {
  static constexpr int kStride = kTile + Vector<T>::kSize;  // vectors of a column in all banks
  alignas(16) T own[kTile][kStride];
  alignas(16) T other[kTile][kStride];
};

// Rows of `width` numbers, of which the first `count` are there.
template <class T>
struct TileRows {
  const T* data;
  int64_t stride;
  int32_t width, count;
};

// So many columns of 32 rows; zero where there are none.
template <class T>
__device__ inline void fetch(const TileRows<T>& rows, int32_t start,
                             T (&to)[kTile][TileMemory<T>::kStride]) {
  const int32_t column = start + tile_lane();
  for (int row = threadIdx.x / kLanes; row < kTile; row += kTileWarps) {
    const bool inside = row < rows.count && column < rows.width;
    to[row][tile_lane()] = inside ? rows.data[row * rows.stride + column] : T(0);
  }
}

template <class T>
__device__ inline const Vector<T>& vector_at(const T& first) {
  return *reinterpret_cast<const Vector<T>*>(&first);
}

// sum[index] += own row . other row
template <class T>
__device__ inline void add_dots(TileMemory<T>& memory, const TileRows<T>& own,
                                const TileRows<T>& other, T (&sum)[kOwn]) {
  constexpr int kSize = Vector<T>::kSize;
  for (int32_t start = 0; start < own.width; start += kTile) {
    __syncthreads();
    fetch(own, start, memory.own);
    fetch(other, start, memory.other);
    __syncthreads();
#pragma unroll 2
    for (int a = 0; a < kTile; a += kSize) {
      const Vector<T> y = vector_at(memory.other[tile_lane()][a]);
#pragma unroll
      for (int index = 0; index < kOwn; ++index) {
        const Vector<T> x = vector_at(memory.own[own_of(index)][a]);
#pragma unroll
        for (int c = 0; c < kSize; ++c) sum[index] += x.at[c] * y.at[c];
      }
    }
  }
}

// The own rows `to`, of `count` that are there, (+)= the weights of this tile times other rows.
template <class T>
struct TileTarget {
  T* data;
  int64_t stride;
  int32_t count;
  bool add;
};
template <class T>
__device__ inline void add_product(TileMemory<T>& memory, const T (&weight)[kOwn],
                                   const TileRows<T>& other, const TileTarget<T>& to) {
  constexpr int kSize = Vector<T>::kSize;
  __syncthreads();
#pragma unroll
  for (int index = 0; index < kOwn; ++index) memory.own[own_of(index)][tile_lane()] = weight[index];
  for (int32_t start = 0; start < other.width; start += kTile) {
    if (start > 0) __syncthreads();
    fetch(other, start, memory.other);
    __syncthreads();
    T sum[kOwn] = {};
#pragma unroll 2
    for (int k = 0; k < kTile; k += kSize) {
      T y[kSize];
#pragma unroll
      for (int c = 0; c < kSize; ++c) y[c] = memory.other[k + c][tile_lane()];
#pragma unroll
      for (int index = 0; index < kOwn; ++index) {
        const Vector<T> x = vector_at(memory.own[own_of(index)][k]);
#pragma unroll
        for (int c = 0; c < kSize; ++c) sum[index] += x.at[c] * y[c];
      }
    }
    const int32_t column = start + tile_lane();
#pragma unroll
    for (int index = 0; index < kOwn; ++index) {
      if (own_of(index) >= to.count || column >= other.width) continue;
      T* at = to.data + own_of(index) * to.stride + column;
      *at = to.add ? *at + sum[index] : sum[index];
    }
  }
}

// total[sum] += the sum over the other pairs; a lane has own pair number lane % kOwn of its warp.
template <int kSums, class T>
__device__ inline void add_sums(T (&values)[kSums][kOwn], T (&total)[kSums]) {
#pragma unroll
  for (int sum = 0; sum < kSums; ++sum) total[sum] += warp_sums(values[sum]);
}

}  // namespace deeptf
