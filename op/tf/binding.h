// What all bindings share: inputs with checked shapes, outputs, threads, and errors as a status.
#pragma once

#include <initializer_list>
#include <new>
#include <string>

#include "core/base/error.h"
#include "core/base/team.h"
#include "tf/tf_compat.h"

namespace deeptf {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// Bindings are written once for all devices: `Device::of(context)` is what the kernels of a device
// take. On the CPU that is threads: as many as the session may use for an op, whatever those of its
// device are, since all devices of a process may share the threads of the first one, which may be
// another program's.
struct Cpu {
  static constexpr bool kOnHost = true;  // arrays can be read here, and are checked
  static Context of(OpKernelContext* context) {
    const auto* session = context->session_config();
    const int own = session != nullptr ? session->intra_op_parallelism_threads() : 0;
    const int device = context->device()->tensorflow_cpu_worker_threads()->num_threads;
    return team_of(own > 0 ? own : device);
  }
};

// Of an op on the CPU alone.
inline Context context_of(OpKernelContext* context) { return Cpu::of(context); }

// Runs body; an error of the core becomes the status of the op.
template <class Body>
void guard(OpKernelContext* context, const Body& body) {
  try {
    body();
  } catch (const Ended& error) {
    context->CtxFailure(absl::AbortedError(error.what()));
  } catch (const Error& error) {
    context->CtxFailure(absl::InvalidArgumentError(error.what()));
  } catch (const std::bad_alloc&) {
    context->CtxFailure(absl::ResourceExhaustedError("out of memory: give fewer atoms at a time"));
  }
}

// Input `index`, whose shape must be `shape` (-1: any size).
inline const Tensor& input(OpKernelContext* context, int index, const char* name,
                           std::initializer_list<int64_t> shape) {
  const Tensor& tensor = context->input(index);
  bool same = tensor.dims() == static_cast<int>(shape.size());
  std::string wanted;
  int axis = 0;
  for (const int64_t size : shape) {
    same = same && (size < 0 || tensor.dim_size(axis) == size);
    wanted += (axis++ ? "," : "") + (size < 0 ? std::string("?") : std::to_string(size));
  }
  if (!same) {
    throw Error(std::string("`") + name + "` must have shape [" + wanted + "], got " +
                tensor.shape().DebugString());
  }
  return tensor;
}

template <class T>
const T* data(const Tensor& tensor) {
  return tensor.flat<T>().data();
}

// Allocates output `index`.
template <class T>
T* output(OpKernelContext* context, int index, std::initializer_list<int64_t> shape) {
  Tensor* tensor = nullptr;
  if (!context->allocate_output(index, TensorShape(shape), &tensor).ok()) throw std::bad_alloc();
  return tensor->flat<T>().data();
}

// An op that reads its attributes once, when it is made, and then calls run(context, attributes).
template <class Attributes, void (*run)(OpKernelContext*, const Attributes&)>
class Kernel : public OpKernel {
 public:
  explicit Kernel(OpKernelConstruction* context) : OpKernel(context), attributes_(context) {}

  void Compute(OpKernelContext* context) override {
    guard(context, [&] { run(context, attributes_); });
  }

 private:
  const Attributes attributes_;
};

struct NoAttributes {
  explicit NoAttributes(OpKernelConstruction*) {}
};

// Registers RUN<Cpu>, without attributes.
#define DEEPTF_CPU_KERNEL(OP, RUN) \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU), Kernel<NoAttributes, RUN<Cpu>>)

// Registers RUN<Cpu, float> and RUN<Cpu, double>, by the op's attribute `T`.
#define DEEPTF_CPU_KERNELS(OP, ATTRIBUTES, RUN)                                                \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"),  \
                          Kernel<ATTRIBUTES, RUN<Cpu, float>>);                                \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<double>("T"), \
                          Kernel<ATTRIBUTES, RUN<Cpu, double>>)

// The same for RUN<float> and RUN<double>, which run on the CPU alone.
#define DEEPTF_KERNELS(OP, ATTRIBUTES, RUN)                                                    \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"),  \
                          Kernel<ATTRIBUTES, RUN<float>>);                                     \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<double>("T"), \
                          Kernel<ATTRIBUTES, RUN<double>>)

// Shape function: input `index` has these sizes; -1 stands for any.
inline absl::Status expect(InferenceContext* c, int index, std::initializer_list<int64_t> shape) {
  ShapeHandle whole;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(index), static_cast<int>(shape.size()), &whole));
  int axis = 0;
  for (const int64_t size : shape) {
    DimensionHandle dim = c->Dim(whole, axis++);
    if (size >= 0) TF_RETURN_IF_ERROR(c->WithValue(dim, size, &dim));
  }
  return absl::OkStatus();
}

}  // namespace deeptf
