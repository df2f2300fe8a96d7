// Rows of unit length, x^ = x / max(|x|, 1e-6), and their derivatives.
#pragma once

#include <cstdint>

#include "core/base/scratch.h"
#include "core/nets/row_formulas.h"

namespace deeptf {

template <class T>
inline T dot(int64_t width, const T* a, const T* b) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < width; ++k) sum += a[k] * b[k];
  return sum;
}

template <class T>
class UnitRows {
 public:
  UnitRows(int64_t count, int64_t width, const T* rows)
      : count_(count), width_(width), inverse_(count), unit_(count * width) {
    for (int64_t i = 0; i < count; ++i) {
      const T* x = rows + i * width;
      inverse_[i] = unit_inverse(dot(width, x, x));
      T* unit = &unit_[i * width];
#pragma omp simd
      for (int64_t k = 0; k < width; ++k) unit[k] = x[k] * inverse_[i];
    }
  }

  const T* operator[](int64_t row) const { return &unit_[row * width_]; }

  // change = J in with the matrix of the derivatives, J = (1 - x^ x^T) / |x|, which is symmetric:
  // of x^ where x changes by `in`, or of x where x^ has this gradient. change may be in.
  void project(const T* in, T* change) const {
    for (int64_t i = 0; i < count_; ++i, in += width_, change += width_) {
      const T *unit = (*this)[i], inverse = inverse_[i];
      const T along = is_short_row(inverse) ? T(0) : dot(width_, unit, in);
#pragma omp simd
      for (int64_t k = 0; k < width_; ++k) {
        change[k] = unit_change(in[k], unit[k], along, inverse);
      }
    }
  }

  // The change of J unit_grad. unit_grad changes by `change`, which the result replaces; `along`
  // [rows] is x^ . unit_grad, `grad` J unit_grad, and x^ changes by J tangent = turned.
  void project_changed(const T* along, const T* grad, const T* tangent, const T* turned,
                       T* change) const {
    for (int64_t i = 0; i < count_; ++i) {
      const T* unit = (*this)[i];
      const T inverse = inverse_[i];
      UnitRowChange<T> changed{0, 0, 0, inverse};
      if (!is_short_row(inverse)) {
        changed.along = along[i];
        changed.rate = dot(width_, unit, tangent) * inverse;
        changed.with_unit = dot(width_, turned, grad) / inverse + dot(width_, unit, change);
      }
#pragma omp simd
      for (int64_t k = 0; k < width_; ++k) {
        change[k] = changed(change[k], unit[k], turned[k], grad[k]);
      }
      grad += width_, tangent += width_, turned += width_, change += width_;
    }
  }

 private:
  int64_t count_, width_;
  Scratch<T> inverse_, unit_;
};

}  // namespace deeptf
