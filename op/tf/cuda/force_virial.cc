// GPU kernels of the ops in tf/force_virial.cc.
#include "tf/force_virial.h"

#include "core/cuda/force_virial.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

DEEPTF_GPU_KERNEL("ForceVirial", force_and_virial);
DEEPTF_GPU_KERNEL("ForceVirialGrad", force_and_virial_grad);
DEEPTF_GPU_KERNEL("AtomVirial", virial_of_atoms);

}  // namespace deeptf
