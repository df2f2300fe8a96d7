// Copies of parts of A and B, in the order in which gemm.cc reads them, and their sizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/base/gemm.h"
#include "core/base/lane.h"

namespace deeptf {

#if defined(__AVX512F__)
constexpr int kRows = 8, kLanes = 3;  // 24 sums in 32 registers
#else
constexpr int kRows = 6, kLanes = 2;  // 12 sums in 16 registers
#endif
constexpr int64_t kDepth = 256;  // with 256-bit registers a sliver of B has 16 KB
constexpr int64_t kPanelBytes = 256 * 1024;
template <class T>
constexpr int64_t kSliver = kLanes * kLane<T>;  // columns
template <class T>
constexpr int64_t kPanel = kPanelBytes / (kDepth * sizeof(T)) / kSliver<T> * kSliver<T>;

// Copies B [depth, columns] to [depth, width], zeros behind the columns.
template <class T>
void pack_plainly(int64_t depth, const MatrixView<T>& b, int64_t columns, int64_t width, T* to) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t j = 0; j < width; ++j) {
      to[k * width + j] = j < columns ? b.data[k * b.row_stride + j * b.column_stride] : T(0);
    }
  }
}

// The same for full lanes of a B whose columns are consecutive in memory (a transposed matrix).
template <class T>
void pack_transposed(int64_t depth, const MatrixView<T>& b, int64_t width, T* to) {
  int64_t k = 0;
  for (; k + kLane<T> <= depth; k += kLane<T>) {
    for (int64_t j = 0; j < width; j += kLane<T>) {
      Lane<T> lanes[kLane<T>];
      for (int64_t i = 0; i < kLane<T>; ++i) {
        lanes[i] = load(b.data + k + (j + i) * b.column_stride);
      }
      transpose<T>(lanes);
      for (int64_t i = 0; i < kLane<T>; ++i) store(to + (k + i) * width + j, lanes[i]);
    }
  }
  pack_plainly(depth - k, b.from(k, 0), width, width, to + k * width);
}

// Copies a row-major B [depth, slivers of kSliver] to slivers `stride` apart, row after row.
template <class T>
void pack_lanes(int64_t depth, const MatrixView<T>& b, int64_t slivers, int64_t stride, T* to) {
  for (int64_t k = 0; k < depth; ++k, to += kSliver<T>) {
    const T* from = b.data + k * b.row_stride;
    for (int64_t s = 0; s < slivers; ++s, from += kSliver<T>) {
#pragma GCC unroll 4
      for (int l = 0; l < kLanes; ++l) {
        Lane<T> lane = load(from + l * kLane<T>);
        hold(lane);  // or the compiler calls memmove for each row
        store(to + s * stride + l * kLane<T>, lane);
      }
    }
  }
}

// Copies B [depth, columns], columns <= kPanel, to a part of the slivers in `to`: each has
// [total_depth, its lanes], of which B fills rows from `row`.
template <class T>
void pack_panel(int64_t depth, const MatrixView<T>& b, int64_t columns, int64_t total_depth,
                int64_t row, T* to) {
  const bool by_rows = b.column_stride == 1;
  const int64_t whole = b.row_stride == 1 || by_rows ? columns / kSliver<T> : 0;
  const auto place = [&](int64_t sliver, int64_t width) {
    return to + sliver * total_depth * kSliver<T> + row * width;
  };
  if (by_rows) {
    pack_lanes<T>(depth, b, whole, total_depth * kSliver<T>, place(0, kSliver<T>));
  } else {
    for (int64_t k = 0; k < whole; ++k) {
      pack_transposed(depth, b.from(0, k * kSliver<T>), kSliver<T>, place(k, kSliver<T>));
    }
  }
  for (int64_t k = whole; k * kSliver<T> < columns; ++k) {
    const int64_t there = std::min(kSliver<T>, columns - k * kSliver<T>);
    const int64_t width = round_up(there, kLane<T>);
    pack_plainly(depth, b.from(0, k * kSliver<T>), there, width, place(k, width));
  }
}

// Copies A [rows, depth] to a part of `packed`: blocks of kRows rows, [total_depth, kRows] each.
template <class T>
void pack_rows(int64_t rows, int64_t depth, const MatrixView<T>& a, int64_t total_depth,
               T* packed) {
  const int64_t whole = a.row_stride == 1 ? rows / kRows * kRows : 0;
  for (int64_t k = 0; k < depth; ++k) {
    const T* from = a.data + k * a.column_stride;
    T* to = packed + k * kRows;
    for (int64_t row = 0; row < whole; row += kRows) {
      std::memcpy(to + row * total_depth, from + row, kRows * sizeof(T));
    }
    for (int64_t row = whole; row < rows; ++row) {
      to[row / kRows * kRows * total_depth + row % kRows] = from[row * a.row_stride];
    }
  }
}

}  // namespace deeptf
