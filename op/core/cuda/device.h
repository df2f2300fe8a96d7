// What every .cu file includes: CUDA or its emulation, launching, and what warps do together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

// Enough blocks of `threads` threads for one warp for each of `count`.
inline dim3 blocks_of_warps(int64_t count, int threads) {
  return dim3(static_cast<unsigned>((count * kLanes + threads - 1) / threads));
}

// Which warp this is, counted over all blocks.
__device__ inline int64_t warp_index() {
  return (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kLanes;
}

// How many of these lanes come before this one.
__device__ inline int lanes_before(unsigned lanes) {
  return __popc(lanes & ((1u << threadIdx.x % kLanes) - 1));
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

template <class T>
std::vector<T> on_host(const Cuda& cuda, const T* from, int64_t count) {
  std::vector<T> to(count);
  copy_to_host(cuda, from, count, to.data());
  return to;
}

template <class T>
void set_zero(const Cuda& cuda, T* to, int64_t count) {
#ifdef __CUDACC__
  if (count > 0) check_cuda(cudaMemsetAsync(to, 0, count * sizeof(T), stream_of(cuda)));
#else
  (void)cuda;
  std::fill_n(to, count, T(0));
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

// Adds up the first 2 kStep values between lanes whose numbers differ by kStep; each keeps kStep.
// By recursion: in a loop over steps the compiler would index the values in memory.
template <int kStep, int kValues, class T>
__device__ inline void halve_values(T (&values)[kValues]) {
  if constexpr (kStep > 0) {
    const bool upper = threadIdx.x & kStep;
#pragma unroll
    for (int k = 0; k < kStep; ++k) {
      const T kept = upper ? values[k + kStep] : values[k];
      const T given = upper ? values[k] : values[k + kStep];
      values[k] = kept + __shfl_xor_sync(kAllLanes, given, kStep);
    }
    halve_values<kStep / 2>(values);
  }
}

// Value k = lane % kValues summed over the lanes of a warp; kValues is a power of two. The values
// are halved between two lanes at every step, so this costs about kValues + 3 shuffles.
template <int kValues, class T>
__device__ inline T warp_sums(T (&values)[kValues]) {
  halve_values<kValues / 2>(values);
#pragma unroll
  for (int step = kValues; step < kLanes; step *= 2) {
    values[0] += __shfl_xor_sync(kAllLanes, values[0], step);
  }
  return values[0];
}

// The sum over the lanes of a warp, for each of them.
template <class T>
__device__ inline T warp_total(T value) {
  T values[1] = {value};
  return warp_sums(values);
}

}  // namespace deeptf
