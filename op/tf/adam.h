// What the ops of Adam share: attributes and the variables that they change.
#pragma once

#include <string>

#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"
#include "tf/binding.h"
#include "train/adam.h"

namespace deeptf {

using tensorflow::Var;
using VarPointer = tensorflow::core::RefCountPtr<Var>;

// Follows a registration: the numbers of AdamStep, of which `rate` is the first input.
#define DEEPTF_ADAM_STEP \
  Attr("beta1: float").Attr("beta2: float").Attr("epsilon: float").Input("rate: double")

struct AdamAttributes {
  explicit AdamAttributes(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("beta1", &beta1));
    OP_REQUIRES_OK(context, context->GetAttr("beta2", &beta2));
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon));
  }

  AdamStep step(OpKernelContext* context) const {
    return {data<double>(input(context, 0, "rate", {}))[0], beta1, beta2, epsilon};
  }

  float beta1, beta2, epsilon;
};

// The variable at input `index`, which must have `size` elements.
inline VarPointer variable_at(OpKernelContext* context, int index, int64_t size) {
  VarPointer variable;
  const auto& handle = tensorflow::HandleFromInput(context, index);
  if (!tensorflow::LookupResource(context, handle, &variable).ok()) {
    throw Error("variable " + handle.name() + " must be initialized before the first step");
  }
  const tensorflow::tf_shared_lock lock(*variable->mu());
  if (variable->tensor()->NumElements() != size) {
    throw Error("variable " + handle.name() + " must have " + std::to_string(size) +
                " elements like its gradient, got " +
                std::to_string(variable->tensor()->NumElements()));
  }
  return variable;
}

}  // namespace deeptf
