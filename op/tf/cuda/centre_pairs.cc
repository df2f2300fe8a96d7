// GPU kernels of the ops in tf/centre_pairs.cc.
#include "tf/centre_pairs.h"

#include "core/cuda/centre_pairs.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

DEEPTF_GPU_KERNEL("PairTableEnergy", energies_of_table, .HostMemory("grid"));
DEEPTF_GPU_KERNEL("ZblEnergy", energies_of_zbl, .HostMemory("ends"));
DEEPTF_GPU_KERNEL("SoftMinimum", switches, .HostMemory("lengths"));

}  // namespace deeptf
