// GPU kernels of the ops in tf/adam.cc.
#include "core/cuda/adam.h"

#include "core/cuda/memory.h"
#include "tf/adam_update.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

template <class T>
void copy_numbers(const Cuda& cuda, const T* from, int64_t count, T* to) {
  copy_on_device(cuda, from, count * sizeof(T), to);
}

template <class T>
void zero_numbers(const Cuda& cuda, int64_t count, T* to) {
  fill_zero(cuda, count * sizeof(T), to);
}

#define DEEPTF_ON_HOST .HostMemory("rate").HostMemory("first").HostMemory("second")
DEEPTF_GPU_KERNELS("AdamUpdate", UpdateAttributes, update, DEEPTF_ON_HOST.HostMemory("weights"));
DEEPTF_GPU_KERNELS("AdamChange", UpdateAttributes, update, DEEPTF_ON_HOST);
#undef DEEPTF_ON_HOST

}  // namespace deeptf
