// Variables that an op changes in place.
#pragma once

#include <string>

#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"
#include "tf/binding.h"

namespace deeptf {

using tensorflow::Var;
using VarPointer = tensorflow::core::RefCountPtr<Var>;

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
