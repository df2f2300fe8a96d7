// What the ops of several processes on one host share: attributes and checked inputs.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "tf/binding.h"
#include "train/meeting.h"

namespace deeptf {

// Registers an op of arrays of these shapes; ops.Host has the other attributes.
#define DEEPTF_HOST_OP(OP)               \
  REGISTER_OP(OP)                        \
      .Attr("T: {float, double}")        \
      .Attr("N: int >= 1")               \
      .Attr("file: string")              \
      .Attr("offset: int >= 0")          \
      .Attr("room: int >= 0")            \
      .Attr("rank: int >= 0")            \
      .Attr("pipes: list(int) >= 2")     \
      .Attr("processes: list(int) >= 2") \
      .Attr("patience: float")           \
      .Attr("shapes: list(shape)")       \
      .SetIsStateful()

// Registers run<float> and run<double>, whose attributes have their type.
#define DEEPTF_HOST_KERNELS(OP)                                                                \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"),  \
                          Kernel<Attributes<float>, run<float>>);                              \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<double>("T"), \
                          Kernel<Attributes<double>, run<double>>)

struct HostArrays {
  explicit HostArrays(OpKernelConstruction* context) {
    SharedFile file;
    float patience;
    OP_REQUIRES_OK(context, context->GetAttr("file", &file.name));
    OP_REQUIRES_OK(context, context->GetAttr("offset", &file.offset));
    OP_REQUIRES_OK(context, context->GetAttr("room", &file.room));
    OP_REQUIRES_OK(context, context->GetAttr("rank", &host.rank));
    OP_REQUIRES_OK(context, context->GetAttr("pipes", &host.pipes));
    OP_REQUIRES_OK(context, context->GetAttr("processes", &host.processes));
    OP_REQUIRES_OK(context, context->GetAttr("patience", &patience));
    OP_REQUIRES(context, host.rank < host.size() && host.processes.size() == host.pipes.size(),
                absl::InvalidArgumentError("`rank` must be below the number of `pipes`, and "
                                           "`processes` as many as those"));
    host.memory = [file](size_t bytes) { return map_shared(file, bytes); };
    host.report = [](const std::string& message) {
      std::fprintf(stderr, "deeptf: %s\n", message.c_str());
    };
    host.patience = std::chrono::milliseconds(static_cast<int64_t>(1000 * patience));
    OP_REQUIRES_OK(context, context->GetAttr("shapes", &shapes));
    for (const TensorShape& shape : shapes) sizes.push_back(shape.num_elements());
  }

  // The arrays of this process, which are inputs from `first` on.
  template <class T>
  std::vector<const T*> values(OpKernelContext* context, int first) const {
    std::vector<const T*> all;
    for (size_t k = 0; k < shapes.size(); ++k) {
      const Tensor& value = context->input(first + static_cast<int>(k));
      if (value.shape() != shapes[k]) {
        throw Error("array " + std::to_string(k) + " must have shape " + shapes[k].DebugString() +
                    ", got " + value.shape().DebugString());
      }
      all.push_back(data<T>(value));
    }
    return all;
  }

  Host host;
  std::vector<TensorShape> shapes;
  std::vector<int64_t> sizes;
};

// Sets `made` to what make() returns, unless the attributes were wrong; an error becomes the status
// of the op.
template <class Made, class Make>
void make_op(OpKernelConstruction* context, Made* made, const Make& make) {
  if (!context->status().ok()) return;
  try {
    *made = make();
  } catch (const Error& error) {
    context->CtxFailure(absl::InvalidArgumentError(error.what()));
  }
}

}  // namespace deeptf
