// GPU kernels of the ops in tf/curve_nodes.cc.
#include "tf/curve_nodes.h"

#include "core/cuda/embedding_nodes.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

template <class T>
void nodes_on(const NodeInputs<T>& in, const Cuda& cuda, T* table) {
  embedding_nodes(in.nets, in.num_needed, cuda, table);
}
template <class T>
void nodes_grad_on(const NodeInputs<T>& in, const Cuda& cuda, const T* table_grad,
                   const EmbeddingNetsGrad<T>& grads) {
  embedding_nodes_grad(in.nets, in.num_needed, cuda, table_grad, grads);
}

DEEPTF_GPU_KERNELS("EmbeddingNodes", NodeStyle, nodes_of_curves);
DEEPTF_GPU_KERNELS("EmbeddingNodesGrad", NodeStyle, nodes_of_curves_grad);

}  // namespace deeptf
