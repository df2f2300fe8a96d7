// GPU kernels of the ops in tf/fitting_net.cc.
#include "tf/fitting_net.h"

#include "core/cuda/fitting_net.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

#define DEEPTF_ON_HOST .HostMemory("atom_count")
DEEPTF_GPU_KERNELS("FittingNet", FittingAttributes, energy_and_slope, DEEPTF_ON_HOST);
DEEPTF_GPU_KERNELS("FittingNetGrad", FittingAttributes, energy_and_slope_grad, DEEPTF_ON_HOST);
#undef DEEPTF_ON_HOST

}  // namespace deeptf
