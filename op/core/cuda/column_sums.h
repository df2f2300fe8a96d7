// Sums over the rows of matrices on a GPU.
#pragma once

#include "core/cuda/device.h"

namespace deeptf {

constexpr int64_t kRowsOfPart = 128;

inline int64_t row_parts(int64_t rows) {
  return rows > kRowsOfPart ? (rows + kRowsOfPart - 1) / kRowsOfPart : 1;
}

// sums[part, column] over the rows of each part, which blockIdx.y counts. A lane has a column, the
// warps share the rows.
template <class T, class Source>
__global__ void __launch_bounds__(256)
    column_sum_kernel(Source source, int64_t rows, int64_t columns, T* sums) {
  constexpr int kWarps = 8;
  __shared__ T partial[kWarps][kLanes];
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  const int64_t column = int64_t{blockIdx.x} * kLanes + lane;
  const int64_t begin = int64_t{blockIdx.y} * kRowsOfPart;
  const int64_t end = rows - begin < kRowsOfPart ? rows : begin + kRowsOfPart;
  T sum = 0;
  for (int64_t row = begin + warp; row < end && column < columns; row += kWarps) {
    sum += source(row, column);
  }
  partial[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || column >= columns) return;
  for (int from = 1; from < kWarps; ++from) sum += partial[from][lane];
  sums[blockIdx.y * columns + column] = sum;
}

// source(row, column), a DEEPTF_HD operator, summed over the rows of each part:
// sums [row_parts(rows), columns].
template <class T, class Source>
void column_sums(const Cuda& cuda, const Source& source, int64_t rows, int64_t columns, T* sums) {
  const dim3 grid(static_cast<unsigned>((columns + kLanes - 1) / kLanes),
                  static_cast<unsigned>(row_parts(rows)));
  launch(cuda, grid, 256, column_sum_kernel<T, Source>, source, rows, columns, sums);
}

}  // namespace deeptf
