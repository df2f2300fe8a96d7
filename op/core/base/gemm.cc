// See gemm.h. Columns and depth are cut into panels of B that fit the second cache; a panel is
// copied to slivers, a few lanes wide, whose rows are consecutive in memory. Sliver after sliver
// moves to the first cache while the rows of A stream by; a block of rows x lanes of C lives in
// registers. A is read where it lies if its rows are consecutive, else copied.
//
// Measured with tests/benchmarks/gemm.cc on one core with AVX-512 (Xeon, 2.6 GHz), where a product
// that stays in the first cache reaches 105 GFLOP/s float64 and 210 float32: products of a fitting
// net 84 to 102 and 182 to 208, of an embedding net 70 to 91 and 120 to 165. NumPy (OpenBLAS) takes
// 62 to 79 and 120 to 165 for those of the fitting net.
#include "core/base/gemm.h"

#include <algorithm>

#include "core/base/gemm_pack.h"
#include "core/base/lane.h"
#include "core/base/scratch.h"

namespace deeptf {
namespace {

constexpr int64_t kRowBlock = 96;  // rows of A that stay in the second cache
constexpr int64_t kPieces = 3;     // of a product, for each thread

// A sliver of B: [depth, lanes of kLane].
template <class T>
struct Sliver {
  int64_t columns;  // that are there; the lanes may have more
  int lanes;
  const T* data;
};

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

// The parts of the products that lie in [begin, end) of their depths, one after the other.
template <class T>
Products<T> parts_of(const Products<T>& products, int64_t begin, int64_t end) {
  Products<T> parts;
  for (const Product<T>& product : products) {
    const int64_t from = std::clamp<int64_t>(begin, 0, product.depth);
    const int64_t to = std::clamp<int64_t>(end, 0, product.depth);
    if (from < to) parts.add(product.part(from, to));
    begin -= product.depth;
    end -= product.depth;
  }
  return parts;
}

// Whether B need not be copied.
template <class T>
bool is_prepared(const Products<T>& products) {
  return products.size() == 1 && products[0].packed != nullptr;
}

// Where the slivers of a panel of B are.
template <class T>
struct Slivers {
  const T* data;
  int64_t stride;  // from one to the next
  int64_t row;     // of B that comes first

  const T* at(int64_t column, int64_t width) const {
    return data + column / kSliver<T> * stride + row * width;
  }
};

// Whether A has to be copied: it is not where its rows are consecutive.
template <class T>
bool is_packed(const Products<T>& products) {
  return products.size() > 1 || products[0].a.column_stride != 1;
}

// C [rows, all columns] (+)= the parts, whose depths add up to `depth`; slivers are those of B.
template <class T>
void multiply_rows(const Target<T>& target, const Products<T>& parts, int64_t depth,
                   const Slivers<T>& slivers, T* packed) {
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
  for (int64_t column = 0; column < target.columns; column += kSliver<T>) {
    const int64_t columns = std::min(kSliver<T>, target.columns - column);
    const int64_t lanes = (columns + kLane<T> - 1) / kLane<T>;
    const Sliver<T> sliver{columns, static_cast<int>(lanes), slivers.at(column, lanes * kLane<T>)};
    for (int64_t row = 0; row < target.rows; row += kRows) {
      const MatrixView<T> rows{a.data + row / kRows * next_rows, a.row_stride, a.column_stride};
      T* c = target.c + row * target.stride + column;
      with_constant<kLanes>(lanes, [&](auto number) {
        with_constant<kRows>(std::min<int64_t>(kRows, target.rows - row), [&](auto height) {
          kernel<T, height(), number()>(depth, rows, sliver, c, target.stride, target.add);
        });
      });
    }
  }
}

// The panel of B that the parts have, copied to `memory` unless it is packed.
template <class T>
Slivers<T> find_slivers(int64_t columns, const Products<T>& parts, int64_t depth, T* memory) {
  if (is_prepared(parts)) {
    const PackedMatrix<T>& b = *parts[0].packed;
    const int64_t stride = b.depth() * kSliver<T>;
    return {b.data() + parts[0].column / kSliver<T> * stride, stride, parts[0].row};
  }
  int64_t done = 0;
  for (const Product<T>& part : parts) {
    pack_panel(part.depth, part.b, columns, depth, done, memory);
    done += part.depth;
  }
  return {memory, depth * kSliver<T>, 0};
}

// C (+)= the parts, whose depths add up to at most kDepth, for at most kPanel columns.
template <class T>
void multiply_panel(const Target<T>& target, Products<T> parts, int64_t height, T* slivers,
                    T* packed) {
  const int64_t depth = parts.depth();
  const Slivers<T> panel = find_slivers(target.columns, parts, depth, slivers);
  for (int64_t row = 0; row < target.rows; row += height) {
    multiply_rows<T>({std::min(height, target.rows - row), target.columns,
                      target.c + row * target.stride, target.stride, target.add},
                     parts, depth, panel, packed);
    for (Product<T>& part : parts) part.a = part.a.from(height, 0);
  }
}

// Cuts the longer side of C into at most `most` pieces; returns how many it wrote.
template <class T>
int64_t cut_into_pieces(const Multiplication<T>& whole, int64_t most, Multiplication<T>* pieces) {
  const Target<T>& target = whole.target;
  const bool by_rows = target.rows > target.columns;
  const int64_t size = by_rows ? target.rows : target.columns;
  const int64_t step = round_up((size + most - 1) / most, by_rows ? kRows : kSliver<T>);
  int64_t number = 0;
  for (int64_t first = 0; first < size; first += step) {
    const int64_t row = by_rows ? first : 0, column = by_rows ? 0 : first;
    Multiplication<T>& piece = pieces[number++] = whole;
    piece.target.c += row * target.stride + column;
    (by_rows ? piece.target.rows : piece.target.columns) = std::min(step, size - first);
    for (Product<T>& part : piece.products) {
      part = part.from_column(column);
      part.a = part.a.from(row, 0);
    }
  }
  return number;
}

}  // namespace

template <class T>
PackedMatrix<T>::PackedMatrix(int64_t depth, int64_t columns, const MatrixView<T>& b)
    : depth_(depth), slivers_(depth * round_up(columns, kSliver<T>)) {
  pack_panel(depth, b, columns, depth, 0, slivers_.data());
}

template <class T>
void multiply(const Target<T>& target, const Products<T>& products) {
  const int64_t depth = products.depth();
  if (depth == 0 && !target.add) {
    for (int64_t row = 0; row < target.rows; ++row) {
      std::fill_n(target.c + row * target.stride, target.columns, T(0));
    }
  }
  const int64_t blocks = std::max<int64_t>(1, (target.rows + kRowBlock - 1) / kRowBlock);
  const int64_t height = round_up((target.rows + blocks - 1) / blocks, kRows);
  const int64_t most_depth = std::min(depth, kDepth);
  Scratch<T> packed(is_packed(products) ? height * most_depth : 0);
  const int64_t panel = round_up(std::min(target.columns, kPanel<T>), kSliver<T>);
  Scratch<T> slivers(is_prepared(products) ? 0 : most_depth * panel);
  for (int64_t column = 0; column < target.columns; column += kPanel<T>) {
    for (int64_t start = 0; start < depth; start += kDepth) {
      Products<T> parts = parts_of(products, start, std::min(start + kDepth, depth));
      for (Product<T>& part : parts) part = part.from_column(column);
      multiply_panel<T>({target.rows, std::min(kPanel<T>, target.columns - column),
                         target.c + column, target.stride, target.add || start > 0},
                        parts, height, slivers.data(), packed.data());
    }
  }
}

template <class T>
void multiply(const Context& context, const Multiplication<T>* all, int64_t number) {
  const int64_t most = kPieces * context.threads;  // of each
  Scratch<Multiplication<T>> pieces(number * most);
  int64_t made = 0, cycles = 1000;
  for (int64_t k = 0; k < number; ++k) {
    made += cut_into_pieces(all[k], most, &pieces[made]);
    cycles += all[k].target.rows * all[k].target.columns * all[k].products.depth() / kLane<T>;
  }
  context.parallel(made, cycles / std::max<int64_t>(1, made), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) multiply<T>(pieces[k].target, pieces[k].products);
  });
}

#define DEEPTF_INSTANTIATE(T)                                      \
  template class PackedMatrix<T>;                                  \
  template void multiply<T>(const Target<T>&, const Products<T>&); \
  template void multiply<T>(const Context&, const Multiplication<T>*, int64_t);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
