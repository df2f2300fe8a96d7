// See row_norm.h.
#include "core/nets/row_norm.h"

#include <cmath>

#include "core/base/scratch.h"
#include "core/nets/row_formulas.h"
#include "core/nets/unit_rows.h"

namespace deeptf {
namespace {

template <class T>
T mean_of(int64_t width, const T* x) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < width; ++k) sum += x[k];
  return sum / static_cast<T>(width);
}

// Writes y of a row; returns 1 / sigma.
template <class T>
T normalise(const NormRows<T>& rows, int64_t row, T* y) {
  const T* x = rows.x + row * rows.width;
  const T mean = mean_of(rows.width, x);
  for (int64_t k = 0; k < rows.width; ++k) y[k] = x[k] - mean;
  const T inverse =
      1 / std::sqrt(dot(rows.width, y, y) / static_cast<T>(rows.width) + rows.epsilon);
  for (int64_t k = 0; k < rows.width; ++k) y[k] *= inverse;
  return inverse;
}

// Writes J u; returns y.u / M.
template <class T>
T project(int64_t width, const T* y, T inverse, const T* u, T* out) {
  const T mean = mean_of(width, u), along = dot(width, y, u) / static_cast<T>(width);
#pragma omp simd
  for (int64_t k = 0; k < width; ++k) out[k] = norm_change(u[k], mean, y[k], along, inverse);
  return along;
}

template <class T, class Body>
void over_rows(const NormRows<T>& rows, const Context& context, const Body& body) {
  context.parallel(rows.count, 4 * rows.width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row, row * rows.width);
  });
}

}  // namespace

template <class T>
void row_norm(const NormRows<T>& rows, const Context& context, T* y) {
  over_rows(rows, context, [&](int64_t row, int64_t start) { normalise(rows, row, y + start); });
}

template <class T>
void row_norm_grad(const NormRows<T>& rows, const Context& context, const T* u, T* grad) {
  over_rows(rows, context, [&](int64_t row, int64_t start) {
    Scratch<T> y(rows.width);
    const T inverse = normalise(rows, row, y.data());
    project(rows.width, y.data(), inverse, u + start, grad + start);
  });
}

template <class T>
void row_norm_grad_grad(const NormRows<T>& rows, const Context& context, const T* u, const T* v,
                        T* grad) {
  over_rows(rows, context, [&](int64_t row, int64_t start) {
    const int64_t width = rows.width;
    Scratch<T> y(width), turned_u(width), turned_v(width);
    const T inverse = normalise(rows, row, y.data());
    const T along_u = project(width, y.data(), inverse, u + start, turned_u.data());
    const T along_v = project(width, y.data(), inverse, v + start, turned_v.data());
    const T both = dot(width, v + start, turned_u.data()) / static_cast<T>(width);
    const NormSecond<T> second{both, along_u, along_v, inverse};
    T* to = grad + start;
#pragma omp simd
    for (int64_t k = 0; k < width; ++k) {
      to[k] = second(y[k], turned_u[k], turned_v[k]);
    }
  });
}

#define DEEPTF_INSTANTIATE(T)                                                       \
  template void row_norm<T>(const NormRows<T>&, const Context&, T*);                \
  template void row_norm_grad<T>(const NormRows<T>&, const Context&, const T*, T*); \
  template void row_norm_grad_grad<T>(const NormRows<T>&, const Context&, const T*, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
