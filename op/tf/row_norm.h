// What the bindings of RowNorm, RowNormGrad and RowNormGradGrad do on any device; see
// core/nets/row_norm.h.
#pragma once

#include <string>

#include "core/nets/row_norm.h"
#include "tf/binding.h"

namespace deeptf {

// Inputs 0 and 1; epsilon is read on the host.
template <class T>
NormRows<T> norm_rows(OpKernelContext* context) {
  const Tensor& x = input(context, 0, "x", {-1, -1});
  const T epsilon = *data<T>(input(context, 1, "epsilon", {}));
  if (!(epsilon > 0)) {
    throw Error("`epsilon` must be positive, got " + std::to_string(epsilon));
  }
  return {x.dim_size(0), x.dim_size(1), epsilon, data<T>(x)};
}

template <class Device, class T>
void rows_normed(OpKernelContext* context, const NoAttributes&) {
  const NormRows<T> rows = norm_rows<T>(context);
  row_norm(rows, Device::of(context), output<T>(context, 0, {rows.count, rows.width}));
}

template <class Device, class T>
void rows_normed_grad(OpKernelContext* context, const NoAttributes&) {
  const NormRows<T> rows = norm_rows<T>(context);
  const T* u = data<T>(input(context, 2, "u", {rows.count, rows.width}));
  row_norm_grad(rows, Device::of(context), u, output<T>(context, 0, {rows.count, rows.width}));
}

template <class Device, class T>
void rows_normed_grad_grad(OpKernelContext* context, const NoAttributes&) {
  const NormRows<T> rows = norm_rows<T>(context);
  const T* u = data<T>(input(context, 2, "u", {rows.count, rows.width}));
  const T* v = data<T>(input(context, 3, "v", {rows.count, rows.width}));
  row_norm_grad_grad(rows, Device::of(context), u, v,
                     output<T>(context, 0, {rows.count, rows.width}));
}

}  // namespace deeptf
