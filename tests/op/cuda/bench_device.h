// What the benchmark needs of a device: memory that is given out again and again, a clock, and what
// its parts can do at most. Under emulation it runs too, and its times mean nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <new>

#include "device_array.h"

namespace deeptf_test {

// One piece of memory, given out from its start.
class Arena {
 public:
  explicit Arena(size_t bytes) : size_(bytes), memory_(device_memory(bytes)) {}
  void keep() { kept_ = used_; }   // what was taken up to now stays
  void reset() { used_ = kept_; }  // all else comes back
  size_t most() const { return most_; }
  deeptf::Cuda cuda() {
    return {nullptr, [this](size_t bytes) -> void* {
              const size_t begin = used_;
              used_ += (bytes + 255) / 256 * 256;
              if (used_ > size_) throw std::bad_alloc();
              most_ = std::max(most_, used_);
              return static_cast<char*>(memory_.get()) + begin;
            }};
  }

 private:
  size_t size_, used_ = 0, kept_ = 0, most_ = 0;
  std::shared_ptr<void> memory_;
};

#ifdef __CUDACC__
inline size_t free_memory() {
  size_t free = 0, total = 0;
  deeptf::check_cuda(cudaMemGetInfo(&free, &total));
  return free / 10 * 9;
}

class Clock {
 public:
  Clock() { cudaEventCreate(&begin_), cudaEventCreate(&end_); }
  ~Clock() { cudaEventDestroy(begin_), cudaEventDestroy(end_); }
  void start() { cudaEventRecord(begin_); }
  double stop() {  // us
    float ms = 0;
    cudaEventRecord(end_);
    deeptf::check_cuda(cudaEventSynchronize(end_));
    cudaEventElapsedTime(&ms, begin_, end_);
    return 1e3 * ms;
  }

 private:
  cudaEvent_t begin_, end_;
};

inline double attribute(cudaDeviceAttr name) {
  int value = 0;
  deeptf::check_cuda(cudaDeviceGetAttribute(&value, name, 0));
  return value;
}
#else
inline size_t free_memory() { return size_t{1} << 27; }

class Clock {
 public:
  void start() { begin_ = std::chrono::steady_clock::now(); }
  double stop() {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
    return 1e6 * passed.count();
  }

 private:
  std::chrono::steady_clock::time_point begin_;
};
#endif

// What a kernel must at least move and compute.
struct Work {
  double memory;  // bytes to and from the memory of the device
  double l1;      // bytes from the L1 caches
  double flop;    // without tensor cores
};

// The shortest time of some work on this device, us; 0: not known.
inline double limit(const Work& work, bool single) {
#ifdef __CUDACC__
  const double clocks = attribute(cudaDevAttrMultiProcessorCount) *
                        attribute(cudaDevAttrClockRate) * 1e-3;  // of all processors in a us
  const double memory = attribute(cudaDevAttrMemoryClockRate) * 1e-3 * 2 *
                        attribute(cudaDevAttrGlobalMemoryBusWidth) / 8;  // bytes in a us
  const double doubles = attribute(cudaDevAttrSingleToDoublePrecisionPerfRatio);
  const double flops = clocks * 256 / (single ? 1 : doubles);
  return std::max({work.memory / memory, work.l1 / (128 * clocks), work.flop / flops});
#else
  (void)work, (void)single;
  return 0;
#endif
}

}  // namespace deeptf_test
