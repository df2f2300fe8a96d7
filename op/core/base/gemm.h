// Products of small dense matrices, C += A B, for the layers of the nets.
//
// A and B have any strides, so that a transposed matrix is a view and not a copy; C is row-major.
// Every element of C is one chain of multiply-adds in the order of the depth, cut at fixed places:
// its bits depend neither on the other rows and columns nor on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/context.h"

namespace deeptf {

// Element (i, j) is data[i * row_stride + j * column_stride].
template <class T>
struct MatrixView {
  const T* data;
  int64_t row_stride, column_stride;

  MatrixView transposed() const { return {data, column_stride, row_stride}; }
  MatrixView from(int64_t row, int64_t column) const {
    return {data + row * row_stride + column * column_stride, row_stride, column_stride};
  }
};

// A [rows, depth] B [depth, columns]
template <class T>
struct Product {
  int64_t depth;
  MatrixView<T> a, b;
};

// C [rows, columns], row-major; with `add` products are added to it, else they replace it.
template <class T>
struct Target {
  int64_t rows, columns;
  T* c;
  int64_t stride;
  bool add;
};

// C (+)= sum of the products, in one pass over C, on this thread.
template <class T>
void multiply(const Target<T>& target, const std::vector<Product<T>>& products);

template <class T>
struct Multiplication {
  Target<T> target;
  std::vector<Product<T>> products;
};

// Several of them side by side, on all threads; no target overlaps another one.
template <class T>
void multiply(const Context& context, const std::vector<Multiplication<T>>& all);

// C += A B with row-major B, on this thread.
template <class T>
void multiply_add(int64_t rows, int64_t columns, int64_t depth, MatrixView<T> a, const T* b,
                  int64_t b_stride, T* c, int64_t c_stride) {
  multiply<T>({rows, columns, c, c_stride, true}, {{depth, a, {b, b_stride, 1}}});
}

}  // namespace deeptf
