// Variables that an op changes in place.
#pragma once

#include <algorithm>
#include <new>
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

// Its numbers, which may be written: whoever still reads the old ones keeps them.
template <class T>
T* writable(OpKernelContext* context, Var* variable) {
  const tensorflow::mutex_lock lock(*variable->mu());
  Tensor* tensor = variable->tensor();
  if (!tensor->RefCountIsOne()) {
    Tensor copy;
    if (!context->allocate_temp(tensor->dtype(), tensor->shape(), &copy).ok()) {
      throw std::bad_alloc();
    }
    std::copy_n(data<T>(*tensor), tensor->NumElements(), copy.flat<T>().data());
    *tensor = copy;
  }
  return tensor->flat<T>().data();
}

}  // namespace deeptf
