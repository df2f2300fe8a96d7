// Attention between the neighbours of an atom (nets/attention.h) on a GPU; all arrays and the
// counts are on the device. Memory is that of the pairs here too.
#pragma once

#include "core/cuda/cuda.h"
#include "core/nets/attention.h"

namespace deeptf {

template <class T>
void attention(const AttentionShape& shape, const Cuda& cuda, const AttentionArrays<T>& in, T* out);
template <class T>
void attention_grad(const AttentionShape& shape, const Cuda& cuda, const AttentionArrays<T>& in,
                    const T* upper, const AttentionGrads<T>& grad);
template <class T>
void attention_grad_grad(const AttentionShape& shape, const Cuda& cuda,
                         const AttentionArrays<T>& in, const T* upper,
                         const AttentionArrays<T>& grad, const AttentionArrays<T>& tangent,
                         T* upper_grad, const AttentionGrads<T>& second);

}  // namespace deeptf
