#include <cstring>

#include "core/cuda/device.h"
#include "core/cuda/memory.h"

namespace deeptf {

#ifdef __CUDACC__
// From memory that is not pinned, cudaMemcpyAsync has read all when it returns.
void copy_to_device(const Cuda& cuda, const void* host, size_t bytes, void* device) {
  check_cuda(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_of(cuda)));
}

void copy_on_device(const Cuda& cuda, const void* from, size_t bytes, void* to) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(cuda)));
}
#else
void copy_to_device(const Cuda&, const void* host, size_t bytes, void* device) {
  std::memcpy(device, host, bytes);
}

void copy_on_device(const Cuda&, const void* from, size_t bytes, void* to) {
  std::memcpy(to, from, bytes);
}
#endif

void fill_zero(const Cuda& cuda, size_t bytes, void* to) {
  set_zero(cuda, static_cast<unsigned char*>(to), static_cast<int64_t>(bytes));
}

}  // namespace deeptf
