// What the bindings of CUDA kernels share: the stream and scratch memory of an op, and
// registration.
//
// Plain C++: neither CUDA headers nor GOOGLE_CUDA, so the headers of any TensorFlow wheel will do.
// DEEPTF_EMULATED makes the same bindings ops of the CPU under the label `emulated`, so that the
// tests of ops reach the kernels without a GPU.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "core/cuda/cuda.h"
#include "tf/binding.h"
#include "xla/stream_executor/stream.h"

namespace deeptf {

struct Gpu {
  static constexpr bool kOnHost = false;

  static Cuda of(OpKernelContext* context) {
    Cuda cuda;
#ifndef DEEPTF_EMULATED
    cuda.stream = context->op_device_context()->stream()->platform_specific_handle().stream;
#endif
    // Held until the op returns; TensorFlow gives the memory to work behind ours on the stream.
    const auto held = std::make_shared<std::vector<Tensor>>();
    cuda.allocate = [context, held](size_t bytes) -> void* {
      const TensorShape shape({static_cast<int64_t>(bytes)});
      Tensor& memory = held->emplace_back();
      if (!context->allocate_temp(tensorflow::DT_INT8, shape, &memory).ok()) throw std::bad_alloc();
      return memory.data();
    };
    return cuda;
  }
};

#ifdef DEEPTF_EMULATED
#define DEEPTF_GPU(OP) Name(OP).Device(tensorflow::DEVICE_CPU).Label("emulated")
#else
#define DEEPTF_GPU(OP) Name(OP).Device(tensorflow::DEVICE_GPU)
#endif

// Registers RUN<Gpu>, without attributes. Further arguments: .HostMemory("NAME") for what a kernel
// reads on the host.
#define DEEPTF_GPU_KERNEL(OP, RUN, ...) \
  REGISTER_KERNEL_BUILDER(DEEPTF_GPU(OP) __VA_ARGS__, Kernel<NoAttributes, RUN<Gpu>>)

// Registers RUN<Gpu, float> and RUN<Gpu, double>, by the op's attribute `T`.
#define DEEPTF_GPU_KERNELS(OP, ATTRIBUTES, RUN, ...)                              \
  REGISTER_KERNEL_BUILDER(DEEPTF_GPU(OP).TypeConstraint<float>("T") __VA_ARGS__,  \
                          Kernel<ATTRIBUTES, RUN<Gpu, float>>);                   \
  REGISTER_KERNEL_BUILDER(DEEPTF_GPU(OP).TypeConstraint<double>("T") __VA_ARGS__, \
                          Kernel<ATTRIBUTES, RUN<Gpu, double>>)

}  // namespace deeptf
