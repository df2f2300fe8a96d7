// Normalisation of rows, y = (x - mean) / sqrt(variance + epsilon) over the M numbers of a row
// (layer normalisation, arXiv:1607.06450, without its scale and shift), and what its derivatives
// need:
//
//   row_norm             y
//   row_norm_grad        J u, J = dy/dx = (1 - 1 1^T / M - y y^T / M) / sigma, which is symmetric
//   row_norm_grad_grad   gradient of v^T J u in x: -(y (v^T J u) + (y.u) J v + (y.v) J u) / (M
//   sigma)
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

template <class T>
struct NormRows {
  int64_t count, width;  // n, M
  T epsilon;
  const T* x;  // [n, M]
};

template <class T>
void row_norm(const NormRows<T>& rows, const Context& context, T* y);
template <class T>
void row_norm_grad(const NormRows<T>& rows, const Context& context, const T* u, T* grad);
template <class T>
void row_norm_grad_grad(const NormRows<T>& rows, const Context& context, const T* u, const T* v,
                        T* grad);

}  // namespace deeptf
