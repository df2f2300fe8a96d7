// Products of dense matrices on a GPU: cuBLAS, or plain loops under emulation.
//
// Views and targets are those of base/gemm.h, on the device; rows or columns of a view are without
// gaps. One product has the same bits in every call.
#pragma once

#include <mutex>
#include <vector>

#include "core/base/gemm.h"
#include "core/cuda/cuda.h"

namespace deeptf {

// The products of one call of a kernel: it has the stream and memory of cuBLAS to itself meanwhile.
class Gemm {
 public:
  explicit Gemm(const Cuda& cuda);

  template <class T>
  void multiply(const Target<T>& target, const Product<T>& product) const;
  // So many of one product each; those of one form in one call. No target overlaps another one.
  template <class T>
  void multiply(const std::vector<Multiplication<T>>& all) const;

 private:
  const Cuda& cuda_;
  std::unique_lock<std::mutex> lock_;
  void* handle_ = nullptr;
};

}  // namespace deeptf
