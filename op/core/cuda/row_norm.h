// Normalisation of rows (nets/row_norm.h) on a GPU.
#pragma once

#include "core/cuda/cuda.h"
#include "core/nets/row_norm.h"

namespace deeptf {

template <class T>
void row_norm(const NormRows<T>& rows, const Cuda& cuda, T* y);
template <class T>
void row_norm_grad(const NormRows<T>& rows, const Cuda& cuda, const T* u, T* grad);
template <class T>
void row_norm_grad_grad(const NormRows<T>& rows, const Cuda& cuda, const T* u, const T* v, T* grad);

}  // namespace deeptf
