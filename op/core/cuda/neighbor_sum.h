// Sums over the neighbours of each atom and their derivatives (moments/neighbor_sum.h) on a GPU;
// all pointers are on the device. An atom adds its pairs in their order.
#pragma once

#include "core/cuda/cuda.h"
#include "core/moments/neighbor_sum.h"

namespace deeptf {

template <class T>
void neighbor_sum(const Runs& runs, const Cuda& cuda, const T* weight, const T* value, T* sum);
template <class T>
void neighbor_sum_value_grad(const Runs& runs, const Cuda& cuda, const T* weight, const T* grad,
                             T* value_grad);
template <class T>
void neighbor_sum_weight_grad(const Runs& runs, const Cuda& cuda, const T* value, const T* grad,
                              T* weight_grad);

}  // namespace deeptf
