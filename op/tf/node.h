// What the ops of several processes on one machine share: attributes and checked inputs.
#pragma once

#include <string>
#include <vector>

#include "core/meeting.h"
#include "tf/binding.h"

namespace deeptf {

// Registers an op of arrays of these shapes; ops.Node has the other attributes.
#define DEEPTF_NODE_OP(OP)           \
  REGISTER_OP(OP)                    \
      .Attr("T: {float, double}")    \
      .Attr("N: int >= 1")           \
      .Attr("file: string")          \
      .Attr("rank: int >= 0")        \
      .Attr("pipes: list(int) >= 2") \
      .Attr("shapes: list(shape)")   \
      .SetIsStateful()

// Registers run<float> and run<double>, whose attributes have their type.
#define DEEPTF_NODE_KERNELS(OP)                                                                \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"),  \
                          Kernel<Attributes<float>, run<float>>);                              \
  REGISTER_KERNEL_BUILDER(Name(OP).Device(tensorflow::DEVICE_CPU).TypeConstraint<double>("T"), \
                          Kernel<Attributes<double>, run<double>>)

struct NodeArrays {
  explicit NodeArrays(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("file", &node.file));
    OP_REQUIRES_OK(context, context->GetAttr("rank", &node.rank));
    OP_REQUIRES_OK(context, context->GetAttr("pipes", &node.pipes));
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

  Node node;
  std::vector<TensorShape> shapes;
  std::vector<int64_t> sizes;
};

// Sets `made` to what make() returns; an error becomes the status of the op.
template <class Made, class Make>
void make_op(OpKernelConstruction* context, Made* made, const Make& make) {
  try {
    *made = make();
  } catch (const Error& error) {
    context->CtxFailure(absl::InvalidArgumentError(error.what()));
  }
}

}  // namespace deeptf
