// What every .cu file includes: CUDA or its emulation, launching, and what warps do together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/host_device.h"
#include "core/cuda/cuda.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "core/cuda/emulation.h"
#endif

namespace deeptf {

constexpr int kLanes = 32;
constexpr unsigned kAllLanes = ~0u;

#ifdef __CUDACC__
inline void check_cuda(cudaError_t status) {
  if (status != cudaSuccess) throw Error(std::string("CUDA: ") + cudaGetErrorString(status));
}
inline cudaStream_t stream_of(const Cuda& cuda) { return static_cast<cudaStream_t>(cuda.stream); }
#endif

// Runs kernel(arguments...) with blocks of `threads` threads; empty grids are allowed.
template <class... Parameters, class... Arguments>
void launch(const Cuda& cuda, dim3 grid, int threads, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  if (grid.x == 0 || grid.y == 0) return;
#ifdef __CUDACC__
  kernel<<<grid, threads, 0, stream_of(cuda)>>>(Parameters(std::forward<Arguments>(arguments))...);
  check_cuda(cudaGetLastError());
#else
  (void)cuda;
  emulation::run(grid, dim3(threads), [&] { kernel(Parameters(arguments)...); });
#endif
}

template <class Body>
__global__ void __launch_bounds__(256) for_each_kernel(int64_t count, Body body) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t k = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; k < count; k += step) body(k);
}

// body(k) for k = 0 .. count - 1 in any order; body is an object with a DEEPTF_HD operator().
template <class Body>
void for_each(const Cuda& cuda, int64_t count, const Body& body) {
  const int64_t blocks = (count + 255) / 256;
  launch(cuda, dim3(static_cast<unsigned>(blocks < 65535 ? blocks : 65535)), 256,
         for_each_kernel<Body>, count, body);
}

// Copies to the host and waits for all work before.
template <class T>
void copy_to_host(const Cuda& cuda, const T* from, int64_t count, T* to) {
#ifdef __CUDACC__
  check_cuda(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToHost, stream_of(cuda)));
  check_cuda(cudaStreamSynchronize(stream_of(cuda)));
#else
  (void)cuda;
  std::copy_n(from, count, to);
#endif
}

// Sets a flag that other threads may set too.
__device__ inline void mark(int32_t* flag) {
#ifdef __CUDACC__
  if (*flag == 0) *flag = 1;
#else
  __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
#endif
}

// 16 bytes that are loaded at once.
template <class T>
struct alignas(16) Vector {
  static constexpr int kSize = 16 / sizeof(T);
  T at[kSize];
};

#ifdef __CUDACC__
template <class T>
__device__ inline Vector<T> load_vector(const T* from) {
  Vector<T> to;
  *reinterpret_cast<uint4*>(&to) = __ldg(reinterpret_cast<const uint4*>(from));
  return to;
}
#else
template <class T>
Vector<T> load_vector(const T* from) {
  return *reinterpret_cast<const Vector<T>*>(from);
}
#endif

// Value k = lane % kValues summed over the lanes of a warp; kValues is a power of two. The values
// are halved between two lanes at every step, so this costs about kValues + 3 shuffles.
template <int kValues, class T>
__device__ inline T warp_sums(T (&values)[kValues]) {
  const int lane = threadIdx.x % kLanes;
#pragma unroll
  for (int step = kValues / 2; step > 0; step /= 2) {
    const bool upper = lane & step;
#pragma unroll
    for (int k = 0; k < step; ++k) {
      const T kept = upper ? values[k + step] : values[k];
      const T given = upper ? values[k] : values[k + step];
      values[k] = kept + __shfl_xor_sync(kAllLanes, given, step);
    }
  }
#pragma unroll
  for (int step = kValues; step < kLanes; step *= 2) {
    values[0] += __shfl_xor_sync(kAllLanes, values[0], step);
  }
  return values[0];
}

}  // namespace deeptf
