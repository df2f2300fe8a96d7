// Tables of embedding nets and the gradients to their weights (curve/nodes.h) on a GPU.
//
// The arrays of the layers and all pointers of segments and needed_row are on the device, so the
// host gives the number of nodes of the table. It may be larger than that of the needed nodes: the
// rows behind them become zero, and must have the gradient zero. A net is evaluated twice where two
// segments meet.
#pragma once

#include "core/cuda/cuda.h"
#include "core/curve/nodes.h"

namespace deeptf {

// nodes [num_needed, 2, padded M], in float32 intervals [num_needed - 1, 4, padded M].
template <class T>
void embedding_nodes(const EmbeddingNets<T>& nets, int64_t num_needed, const Cuda& cuda, T* nodes);
template <class T>
void embedding_nodes_grad(const EmbeddingNets<T>& nets, int64_t num_needed, const Cuda& cuda,
                          const T* nodes_grad, const EmbeddingNetsGrad<T>& grads);

}  // namespace deeptf
