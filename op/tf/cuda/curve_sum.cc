// GPU kernels of the ops in tf/curve_sum.cc.
#include "tf/curve_sum.h"

#include "core/cuda/embedding_sum.h"
#include "tf/cuda/gpu.h"
#include "tf/cuda/placed.h"

namespace deeptf {

DEEPTF_GPU_KERNELS("EmbeddingSum", SumSizes, sum_of_curves);
DEEPTF_GPU_KERNELS("EmbeddingSumGrad", SumSizes, sum_of_curves_grad);
DEEPTF_GPU_KERNELS("EmbeddingSumTangent", SumSizes, sum_of_curves_tangent);
DEEPTF_GPU_KERNELS("EmbeddingTableGrad", SumSizes, grad_of_table);
DEEPTF_GPU_KERNELS("EmbeddingTangentTableGrad", SumSizes, grad_of_table_tangent);

}  // namespace deeptf
