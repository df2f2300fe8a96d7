// See gemm.h. The depth is cut into blocks; of each block a sliver of B, a few lanes wide, is
// copied to consecutive memory that stays in the first cache while the rows of A stream by. A block
// of rows x lanes of C lives in registers. A is read where it lies if its rows are consecutive,
// else copied.
//
// Measured with tests/benchmarks/gemm.cc on one Zen 3 core (limit of its multiply-add units 51.8
// GFLOP/s float64, 103.6 float32), best of three runs beside other work: products of a fitting net
// 38 to 45 GFLOP/s float64, 87 to 91 float32; of an embedding net 36 to 43 and 63 to 80.
#include "core/gemm.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/lane.h"
#include "core/scratch.h"

namespace deeptf {
namespace {

#if defined(__AVX512F__)
constexpr int kRows = 8, kLanes = 3;  // 24 sums in 32 registers
#else
constexpr int kRows = 6, kLanes = 2;  // 12 sums in 16 registers
#endif
constexpr int64_t kDepth = 256;    // with 256-bit registers a sliver of B has 16 KB
constexpr int64_t kRowBlock = 96;  // rows of A that stay in the second cache

// A sliver of B: [depth, lanes of kLane].
template <class T>
struct Sliver {
  int64_t columns;  // that are there; the lanes may have more
  int lanes;
  alignas(kLaneBytes) T data[kDepth * kLanes * kLane<T>];
};

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Calls body(n) with a constant for a number 1 <= n <= kMost known at run time.
template <int kMost, class Body>
inline void with_constant(int64_t n, const Body& body) {
  if (n == kMost) {
    body(std::integral_constant<int, kMost>());
  } else if constexpr (kMost > 1) {
    with_constant<kMost - 1>(n, body);
  }
}

// C [R, columns] (+)= tile [R, width], where not all columns are there.
template <class T>
void write_part(int rows, int64_t columns, int64_t width, const T* tile, T* c, int64_t stride,
                bool add) {
  for (int i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      T& to = c[i * stride + j];
      to = add ? to + tile[i * width + j] : tile[i * width + j];
    }
  }
}

// C [R, columns of the sliver] (+)= A [R, depth] times the sliver.
template <class T, int R, int L>
[[gnu::noinline]] void kernel(int64_t depth, const MatrixView<T>& a, const Sliver<T>& sliver, T* c,
                              int64_t stride, bool add) {
  for (int i = 0; i < R; ++i) __builtin_prefetch(c + i * stride, 1);
  Lane<T> total[R][L] = {};
  const T* from = sliver.data;
  const T* column = a.data;
  for (int64_t k = 0; k < depth; ++k, from += L * kLane<T>, column += a.column_stride) {
    Lane<T> b[L];
#pragma GCC unroll 4
    for (int l = 0; l < L; ++l) {
      Lane<T> lane = load(from + l * kLane<T>);
      hold(lane);
      b[l] = lane;
    }
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const T factor = column[i * a.row_stride];
#pragma GCC unroll 4
      for (int l = 0; l < L; ++l) total[i][l] += factor * b[l];
    }
  }
  constexpr int64_t width = L * kLane<T>;
  T tile[R * width];
  const bool whole = sliver.columns == width;
  T* to = whole ? c : tile;
  const int64_t step = whole ? stride : width;
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
    for (int l = 0; l < L; ++l) {
      T* at = to + i * step + l * kLane<T>;
      store(at, whole && add ? load(at) + total[i][l] : total[i][l]);
    }
  }
  if (!whole) write_part(R, sliver.columns, width, tile, c, stride, add);
}

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

// The same for full lanes of a row-major B.
template <class T, int L>
void pack_lanes(int64_t depth, const MatrixView<T>& b, T* to) {
  const T* from = b.data;
  for (int64_t k = 0; k < depth; ++k, from += b.row_stride, to += L * kLane<T>) {
#pragma GCC unroll 4
    for (int l = 0; l < L; ++l) {
      Lane<T> lane = load(from + l * kLane<T>);
      hold(lane);  // or the compiler calls memmove for each row
      store(to + l * kLane<T>, lane);
    }
  }
}

template <class T>
void pack_sliver(int64_t depth, const MatrixView<T>& b, int64_t columns, int lanes, T* to) {
  const int64_t width = lanes * kLane<T>;
  if (columns < width || (b.row_stride != 1 && b.column_stride != 1)) {
    pack_plainly(depth, b, columns, width, to);
  } else if (b.column_stride != 1) {
    pack_transposed(depth, b, width, to);
  } else {
    with_constant<kLanes>(lanes, [&](auto number) { pack_lanes<T, number()>(depth, b, to); });
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

// The parts of the products that lie in [begin, end) of their depths, one after the other.
template <class T>
std::vector<Product<T>> parts_of(const std::vector<Product<T>>& products, int64_t begin,
                                 int64_t end) {
  std::vector<Product<T>> parts;
  for (const Product<T>& product : products) {
    const int64_t from = std::clamp<int64_t>(begin, 0, product.depth);
    const int64_t to = std::clamp<int64_t>(end, 0, product.depth);
    if (from < to) parts.push_back({to - from, product.a.from(0, from), product.b.from(from, 0)});
    begin -= product.depth;
    end -= product.depth;
  }
  return parts;
}

// Asks the memory early for the lines of a sliver that starts at `column` of a row-major B: of all
// the depth, the share of one block of rows.
template <class T>
void ask_for(const std::vector<Product<T>>& parts, int64_t column, int64_t depth, int64_t row,
             int64_t rows) {
  if (parts.size() > 1 || parts[0].b.column_stride != 1) return;
  const MatrixView<T>& b = parts[0].b;
  const int64_t end = std::min(depth, (row + kRows) * depth / rows + 1);
  for (int64_t k = row * depth / rows; k < end; ++k) {
    const char* line = reinterpret_cast<const char*>(b.data + k * b.row_stride + column);
    for (int64_t at = 0; at < kLanes * kLaneBytes; at += 64) __builtin_prefetch(line + at, 0, 2);
  }
}

// Whether A has to be copied: it is not where its rows are consecutive.
template <class T>
bool is_packed(const std::vector<Product<T>>& products) {
  return products.size() > 1 || products[0].a.column_stride != 1;
}

// C [rows, all columns] (+)= the parts, whose depths add up to at most kDepth.
template <class T>
void multiply_block(const Target<T>& target, const std::vector<Product<T>>& parts, T* packed) {
  int64_t depth = 0;
  for (const Product<T>& part : parts) depth += part.depth;
  MatrixView<T> a = parts[0].a;
  int64_t next_rows = kRows * a.row_stride;
  if (is_packed(parts)) {
    int64_t done = 0;
    for (const Product<T>& part : parts) {
      pack_rows(target.rows, part.depth, part.a, depth, packed + done * kRows);
      done += part.depth;
    }
    a = {packed, 1, kRows};
    next_rows = kRows * depth;
  }
  Sliver<T> sliver;
  for (int64_t column = 0; column < target.columns; column += kLanes * kLane<T>) {
    sliver.columns = std::min(kLanes * kLane<T>, target.columns - column);
    sliver.lanes = static_cast<int>((sliver.columns + kLane<T> - 1) / kLane<T>);
    T* to = sliver.data;
    for (const Product<T>& part : parts) {
      pack_sliver(part.depth, part.b.from(0, column), sliver.columns, sliver.lanes, to);
      to += part.depth * sliver.lanes * kLane<T>;
    }
    const bool more = column + sliver.columns < target.columns;
    for (int64_t row = 0; row < target.rows; row += kRows) {
      if (more) ask_for(parts, column + sliver.columns, depth, row, target.rows);
      const MatrixView<T> rows{a.data + row / kRows * next_rows, a.row_stride, a.column_stride};
      T* c = target.c + row * target.stride + column;
      with_constant<kLanes>(sliver.lanes, [&](auto lanes) {
        with_constant<kRows>(std::min<int64_t>(kRows, target.rows - row), [&](auto height) {
          kernel<T, height(), lanes()>(depth, rows, sliver, c, target.stride, target.add);
        });
      });
    }
  }
}

}  // namespace

template <class T>
void multiply(const Target<T>& target, const std::vector<Product<T>>& products) {
  int64_t depth = 0;
  for (const Product<T>& product : products) depth += product.depth;
  if (depth == 0 && !target.add) {
    for (int64_t row = 0; row < target.rows; ++row) {
      std::fill_n(target.c + row * target.stride, target.columns, T(0));
    }
  }
  const int64_t blocks = std::max<int64_t>(1, (target.rows + kRowBlock - 1) / kRowBlock);
  const int64_t height = round_up((target.rows + blocks - 1) / blocks, kRows);
  const int64_t most_depth = std::min(depth, kDepth);
  Scratch<T> packed(is_packed(products) ? height * most_depth : 0);
  for (int64_t start = 0; start < depth; start += kDepth) {
    std::vector<Product<T>> parts = parts_of(products, start, std::min(start + kDepth, depth));
    for (int64_t row = 0; row < target.rows; row += height) {
      multiply_block<T>({std::min(height, target.rows - row), target.columns,
                         target.c + row * target.stride, target.stride, target.add || start > 0},
                        parts, packed.data());
      for (Product<T>& part : parts) part.a = part.a.from(height, 0);
    }
  }
}

template <class T>
void multiply(const ParallelFor& parallel, const Target<T>& target,
              const std::vector<Product<T>>& products) {
  const bool by_rows = target.rows > target.columns;
  const int64_t size = by_rows ? target.rows : target.columns;
  const int64_t most = parallel.threads > 1 ? 2 * parallel.threads : 1;
  const int64_t step = round_up((size + most - 1) / most, by_rows ? kRows : kLanes * kLane<T>);
  int64_t depth = 1;
  for (const Product<T>& product : products) depth += product.depth;
  const int64_t cycles = target.rows * target.columns * depth / most / kLane<T> + 1000;
  parallel((size + step - 1) / step, cycles, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * step, count = std::min(end * step, size) - first;
    const int64_t row = by_rows ? first : 0, column = by_rows ? 0 : first;
    std::vector<Product<T>> parts(products);
    for (Product<T>& part : parts) {
      part.a = part.a.from(row, 0);
      part.b = part.b.from(0, column);
    }
    multiply<T>({by_rows ? count : target.rows, by_rows ? target.columns : count,
                 target.c + row * target.stride + column, target.stride, target.add},
                parts);
  });
}

#define DEEPTF_INSTANTIATE(T)                                                  \
  template void multiply<T>(const Target<T>&, const std::vector<Product<T>>&); \
  template void multiply<T>(const ParallelFor&, const Target<T>&, const std::vector<Product<T>>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
