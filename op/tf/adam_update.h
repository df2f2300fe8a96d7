// What the bindings of AdamUpdate and AdamChange do on any device; see train/adam.h. They change
// variables in place.
#pragma once

#include <vector>

#include "tf/adam.h"

namespace deeptf {

struct UpdateAttributes : AdamAttributes {
  explicit UpdateAttributes(OpKernelConstruction* context) : AdamAttributes(context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &number));
  }

  int64_t number;
};

// The numbers of a variable, which may be written: whoever still reads the old ones keeps them.
template <class T, class KernelContext>
T* writable(OpKernelContext* context, const KernelContext& device, Var* variable) {
  const tensorflow::mutex_lock lock(*variable->mu());
  Tensor* tensor = variable->tensor();
  if (!tensor->RefCountIsOne()) {
    Tensor copy;
    if (!context->allocate_temp(tensor->dtype(), tensor->shape(), &copy).ok()) {
      throw std::bad_alloc();
    }
    copy_numbers(device, data<T>(*tensor), tensor->NumElements(), copy.flat<T>().data());
    *tensor = copy;
  }
  return tensor->flat<T>().data();
}

// Output `index` with the shape of the gradient, all zeros.
template <class T, class KernelContext>
T* zeros(OpKernelContext* context, const KernelContext& device, int index, const Tensor& gradient) {
  Tensor* tensor = nullptr;
  if (!context->allocate_output(index, gradient.shape(), &tensor).ok()) throw std::bad_alloc();
  T* values = tensor->flat<T>().data();
  zero_numbers(device, gradient.NumElements(), values);
  return values;
}

// Inputs: rate; N variables of each kind, the moments last; N gradients. Without weights there are
// changes as outputs.
template <class Device, class T>
void update(OpKernelContext* context, const UpdateAttributes& attributes) {
  const bool has_weights = context->num_outputs() == 0;
  const AdamStep step = attributes.step(context);
  const auto device = Device::of(context);
  const int number = static_cast<int>(attributes.number), moments = has_weights ? number : 0;
  std::vector<VarPointer> held;
  std::vector<AdamArrays<T>> all;
  for (int k = 0; k < number; ++k) {
    const Tensor& gradient = context->input(1 + moments + 2 * number + k);
    const int64_t size = gradient.NumElements();
    const auto numbers = [&](int first) {
      held.push_back(variable_at(context, 1 + first + k, size));
      return writable<T>(context, device, held.back().get());
    };
    T* weight = has_weights ? numbers(0) : zeros<T>(context, device, k, gradient);
    all.push_back({size, weight, numbers(moments), numbers(moments + number), data<T>(gradient)});
  }
  adam(all, step, device);
}

}  // namespace deeptf
