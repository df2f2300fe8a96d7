// The contraction of the descriptor and its derivatives (moments/moment_product.h) on a GPU; all
// pointers are on the device.
#pragma once

#include "core/cuda/cuda.h"
#include "core/moments/moment_product.h"

namespace deeptf {

template <class T>
void moment_product(const MomentShape& shape, const Cuda& cuda, const T* moments, T* product);
template <class T>
void moment_product_grad(const MomentShape& shape, const Cuda& cuda, const T* moments,
                         const T* upper, T* grad);
template <class T>
void moment_product_polar(const MomentShape& shape, const Cuda& cuda, const T* moments,
                          const T* other, T* polar);

}  // namespace deeptf
