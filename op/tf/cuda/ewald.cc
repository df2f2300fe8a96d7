// GPU kernels of the ops in tf/ewald.cc. Cells and frames are read on the host, where it is decided
// which waves there are.
#include "tf/ewald.h"

#include "core/cuda/ewald.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

struct DeviceRoom {
  double* at;

  double* data() const { return at; }
};

inline DeviceRoom room(const Cuda& cuda, int64_t count) { return {cuda.scratch<double>(count)}; }

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("Ewald").HostMemory("cell").HostMemory("frame_row"),
                        Kernel<EwaldAttributes, ewald_of_frames<Gpu>>);
REGISTER_KERNEL_BUILDER(DEEPTF_GPU("EwaldSiteVirial").HostMemory("cell").HostMemory("frame_row"),
                        Kernel<EwaldAttributes, ewald_virial_of_sites<Gpu>>);

}  // namespace deeptf
