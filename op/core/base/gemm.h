// Products of small dense matrices, C += A B, for the layers of the nets.
//
// A and B have any strides, so that a transposed matrix is a view and not a copy; C is row-major.
// Every element of C is one chain of multiply-adds in the order of the depth, cut at fixed places:
// its bits depend neither on the other rows and columns nor on the number of threads.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "core/base/aligned.h"
#include "core/base/context.h"
#include "core/base/error.h"

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

// A matrix B [depth, columns] copied once to the order in which products read it; for one that is
// used again and again. The results have the same bits.
template <class T>
class PackedMatrix {
 public:
  PackedMatrix(int64_t depth, int64_t columns, const MatrixView<T>& b);

  int64_t depth() const { return depth_; }
  const T* data() const { return slivers_.data(); }

 private:
  int64_t depth_;
  AlignedVector<T> slivers_;
};

// A [rows, depth] B [depth, columns]. Where B is packed, its first row and column are those of b.
template <class T>
struct Product {
  int64_t depth;
  MatrixView<T> a, b;
  const PackedMatrix<T>* packed = nullptr;
  int64_t row = 0, column = 0;

  // The same with B from a column on.
  Product from_column(int64_t first) const {
    return {depth, a, b.from(0, first), packed, row, column + first};
  }
  // The part of the depth in [begin, end).
  Product part(int64_t begin, int64_t end) const {
    return {end - begin, a.from(0, begin), b.from(begin, 0), packed, row + begin, column};
  }
};

// Products that are summed up; two are what a tangent beside a value takes.
template <class T>
class Products {
 public:
  Products() = default;
  Products(std::initializer_list<Product<T>> all) {
    for (const Product<T>& product : all) add(product);
  }

  void add(const Product<T>& product) {
    if (number_ == kMost) throw Error("a sum must be of 2 products at most, got more");
    all_[number_++] = product;
  }
  int64_t size() const { return number_; }
  int64_t depth() const {  // in all
    int64_t depth = 0;
    for (const Product<T>& product : *this) depth += product.depth;
    return depth;
  }
  const Product<T>& operator[](int64_t index) const { return all_[index]; }
  Product<T>* begin() { return all_; }
  Product<T>* end() { return all_ + number_; }
  const Product<T>* begin() const { return all_; }
  const Product<T>* end() const { return all_ + number_; }

 private:
  static constexpr int64_t kMost = 2;
  Product<T> all_[kMost] = {};
  int64_t number_ = 0;
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
void multiply(const Target<T>& target, const Products<T>& products);

template <class T>
struct Multiplication {
  Target<T> target;
  Products<T> products;
};

// So many of them side by side, on all threads; no target overlaps another one.
template <class T>
void multiply(const Context& context, const Multiplication<T>* all, int64_t number);

// C += A B with row-major B, on this thread.
template <class T>
void multiply_add(int64_t rows, int64_t columns, int64_t depth, MatrixView<T> a, const T* b,
                  int64_t b_stride, T* c, int64_t c_stride) {
  multiply<T>({rows, columns, c, c_stride, true}, {{depth, a, {b, b_stride, 1}}});
}

}  // namespace deeptf
