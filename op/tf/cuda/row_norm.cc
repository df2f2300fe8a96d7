// GPU kernels of the ops in tf/row_norm.cc.
#include "tf/row_norm.h"

#include "core/cuda/row_norm.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

#define DEEPTF_ON_HOST .HostMemory("epsilon")
DEEPTF_GPU_KERNELS("RowNorm", NoAttributes, rows_normed, DEEPTF_ON_HOST);
DEEPTF_GPU_KERNELS("RowNormGrad", NoAttributes, rows_normed_grad, DEEPTF_ON_HOST);
DEEPTF_GPU_KERNELS("RowNormGradGrad", NoAttributes, rows_normed_grad_grad, DEEPTF_ON_HOST);
#undef DEEPTF_ON_HOST

}  // namespace deeptf
