// What attention and its derivatives share: the pairs of one atom, and the weights of one of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/base/exponential.h"
#include "core/base/gemm.h"
#include "core/base/scratch.h"
#include "core/nets/attention.h"
#include "core/nets/attention_formulas.h"
#include "core/nets/unit_rows.h"

namespace deeptf {

// Multiply-adds of a pair in `products` products of matrices [n, n] and [n, w].
inline int64_t work_of(const AttentionShape& shape, int64_t products) {
  const Runs& runs = shape.runs;
  return products * runs.width * (runs.num_pairs / std::max<int64_t>(1, runs.num_atoms) + 1);
}

// Rows [n, 3] as three columns.
template <class T>
class Columns {
 public:
  explicit Columns(int64_t count) : count_(count), data_(3 * count, T(0)) {}
  Columns(int64_t count, const T* rows) : Columns(count) {
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t d = 0; d < 3; ++d) (*this)[d][k] = rows[3 * k + d];
    }
  }
  T* operator[](int64_t d) { return data_.data() + d * count_; }
  const T* operator[](int64_t d) const { return data_.data() + d * count_; }
  void to_rows(T* rows) const {
    for (int64_t k = 0; k < count_; ++k) {
      for (int64_t d = 0; d < 3; ++d) rows[3 * k + d] = (*this)[d][k];
    }
  }

 private:
  int64_t count_;
  Scratch<T> data_;
};

// The pairs of one atom.
template <class T>
struct AttentionBlock {
  AttentionBlock(const AttentionShape& shape, int64_t count, int64_t first,
                 const AttentionArrays<T>& in)
      : shape(shape),
        count(count),
        width(shape.runs.width),
        attended(kParts * count, width, in.attended + first * kParts * width),
        directions(shape.dotr ? count : 0, 3, in.direction + first * 3),
        turned(shape.dotr ? count : 0, directions[0]),
        gate(in.gate + first) {}

  MatrixView<T> part(Part which) const { return part(attended[0], which); }
  MatrixView<T> part(const T* rows, Part which) const {
    return {rows + which * width, kParts * width, 1};
  }
  // matrix [n, n] = a b^T of rows of width w
  void outer(const MatrixView<T>& a, const MatrixView<T>& b, T* matrix) const {
    multiply<T>({count, count, matrix, count, false}, {{width, a, b.transposed()}});
  }
  // One part of rows [n, 3, w] = the products.
  void put(T* rows, Part which, const Products<T>& products) const {
    multiply<T>({count, width, rows + which * width, kParts * width, false}, products);
  }
  // Gates that are not smooth are masks, which do not change.
  void put_gate(const Scratch<T>& values, T* to) const {
    for (int64_t k = 0; k < count; ++k) to[k] = shape.smooth ? values[k] : T(0);
  }

  const AttentionShape& shape;
  int64_t count, width;  // n, w
  UnitRows<T> attended, directions;
  Columns<T> turned;  // directions
  const T* gate;
};

// Numbers of a pair j and all pairs k of its atom: g, c, and the shares s.
template <class T>
class AttentionRow {
 public:
  explicit AttentionRow(const AttentionBlock<T>& block)
      : block_(block),
        gate(block.count),
        scale(block.count),
        cosine(block.count),
        share(block.count) {}

  // `score` are the z_jk.
  void set(int64_t j, const T* score) {
    const int64_t n = block_.count;
    const bool smooth = block_.shape.smooth;
    const T* p = block_.gate;
    for (int64_t k = 0; k < n; ++k) {
      gate[k] = smooth ? p[j] * p[k] : p[j];
      scale[k] = smooth ? gate[k] : T(1);
    }
    set_cosine(j);
    const T lift = this->lift();
    for (int64_t k = 0; k < n; ++k) share[k] = (score[k] + lift) * scale[k] - lift;
    exponentials(n, share.data());
    T sum = 0;
    if (smooth) {
      sum = static_cast<T>(block_.shape.places - n) * std::exp(-lift);
    } else {
      for (int64_t k = 0; k < n; ++k) share[k] *= p[k];
    }
    T of_pairs = 0;
#pragma omp simd reduction(+ : of_pairs)
    for (int64_t k = 0; k < n; ++k) of_pairs += share[k];
    sum += of_pairs;
    const T inverse = sum > 0 ? 1 / sum : T(0);  // 0: all pairs are shut out
    for (int64_t k = 0; k < n; ++k) share[k] *= inverse;
  }

  T lift() const { return attention_lift<T>(block_.shape.smooth); }
  AttentionTerm<T> term(int64_t k) const { return {gate[k], scale[k], cosine[k], share[k]}; }

 private:
  void set_cosine(int64_t j) {
    if (!block_.shape.dotr) {
      std::fill(cosine.begin(), cosine.end(), T(1));
      return;
    }
    const T *x = block_.turned[0], *y = block_.turned[1], *z = block_.turned[2];
    const T xj = x[j], yj = y[j], zj = z[j];
    for (int64_t k = 0; k < block_.count; ++k) cosine[k] = xj * x[k] + yj * y[k] + zj * z[k];
  }

  const AttentionBlock<T>& block_;

 public:
  Scratch<T> gate, scale, cosine, share;
};

}  // namespace deeptf
