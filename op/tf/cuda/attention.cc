// GPU kernels of the ops in tf/attention.cc.
#include "tf/attention.h"

#include "core/cuda/attention.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

DEEPTF_GPU_KERNELS("Attention", AttentionForm, pairs_attend);
DEEPTF_GPU_KERNELS("AttentionGrad", AttentionForm, pairs_attend_grad);
DEEPTF_GPU_KERNELS("AttentionGradGrad", AttentionForm, pairs_attend_grad_grad);

}  // namespace deeptf
