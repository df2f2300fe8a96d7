// GPU kernels of the ops in tf/environment.cc.
#include "core/cuda/environment.h"

#include "tf/cuda/gpu.h"
#include "tf/environment.h"

namespace deeptf {

#define DEEPTF_ON_HOST .HostMemory("rcut_smth").HostMemory("rcut")
DEEPTF_GPU_KERNEL("Environment", environment_rows, DEEPTF_ON_HOST);
DEEPTF_GPU_KERNEL("EnvironmentGrad", environment_rows_grad, DEEPTF_ON_HOST);
DEEPTF_GPU_KERNEL("EnvironmentGradGrad", environment_rows_grad_grad, DEEPTF_ON_HOST);
#undef DEEPTF_ON_HOST

}  // namespace deeptf
