// GPU kernels of the ops in tf/neighbor_sum.cc.
#include "tf/neighbor_sum.h"

#include "core/cuda/neighbor_sum.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

DEEPTF_GPU_KERNELS("NeighborSum", NoAttributes, sum_of_neighbors);
DEEPTF_GPU_KERNELS("NeighborSumValueGrad", NoAttributes, sum_of_neighbors_value_grad);
DEEPTF_GPU_KERNELS("NeighborSumWeightGrad", NoAttributes, sum_of_neighbors_weight_grad);

}  // namespace deeptf
