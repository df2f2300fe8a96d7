// Bindings of AdamUpdate and AdamChange; see train/adam.h. They change variables in place.
#include "tf/adam.h"

#include <algorithm>

#include "tf/binding.h"
#include "train/adam.h"

namespace deeptf {
namespace {

struct Attributes : AdamAttributes {
  explicit Attributes(OpKernelConstruction* context) : AdamAttributes(context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &number));
  }

  int64_t number;
};

// The numbers of a variable, which may be written: whoever still reads the old ones keeps them.
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

// Output `index` with the shape of the gradient, all zeros.
template <class T>
T* zeros(OpKernelContext* context, int index, const Tensor& gradient) {
  Tensor* tensor = nullptr;
  if (!context->allocate_output(index, gradient.shape(), &tensor).ok()) throw std::bad_alloc();
  T* values = tensor->flat<T>().data();
  std::fill_n(values, gradient.NumElements(), T(0));
  return values;
}

// Inputs: rate; N variables of each kind, the moments last; N gradients. Without weights there are
// changes as outputs.
template <class T>
void run(OpKernelContext* context, const Attributes& attributes) {
  const bool has_weights = context->num_outputs() == 0;
  const AdamStep step = attributes.step(context);
  const int number = static_cast<int>(attributes.number), moments = has_weights ? number : 0;
  std::vector<VarPointer> held;
  std::vector<AdamArrays<T>> all;
  for (int k = 0; k < number; ++k) {
    const Tensor& gradient = context->input(1 + moments + 2 * number + k);
    const int64_t size = gradient.NumElements();
    const auto numbers = [&](int first) {
      held.push_back(variable_at(context, 1 + first + k, size));
      return writable<T>(context, held.back().get());
    };
    T* weight = has_weights ? numbers(0) : zeros<T>(context, k, gradient);
    all.push_back({size, weight, numbers(moments), numbers(moments + number), data<T>(gradient)});
  }
  adam(all, step, context_of(context));
}

absl::Status shape_of_changes(InferenceContext* c) {
  for (int k = 0; k < c->num_outputs(); ++k) {
    c->set_output(k, c->input(1 + 2 * c->num_outputs() + k));
  }
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("AdamUpdate")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .DEEPTF_ADAM_STEP.Input("weights: N * resource")
    .Input("first: N * resource")
    .Input("second: N * resource")
    .Input("gradients: N * T")
    .SetIsStateful()
    .SetShapeFn(tensorflow::shape_inference::NoOutputs);

REGISTER_OP("AdamChange")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .DEEPTF_ADAM_STEP.Input("first: N * resource")
    .Input("second: N * resource")
    .Input("gradients: N * T")
    .Output("changes: N * T")
    .SetIsStateful()
    .SetShapeFn(shape_of_changes);

DEEPTF_KERNELS("AdamUpdate", Attributes, run);
DEEPTF_KERNELS("AdamChange", Attributes, run);

}  // namespace deeptf
