// Binding of HostAdam; see train/host_adam.h. After a step the variables have their numbers in the
// memory that the processes share; something else may be assigned to them between steps.
#include "train/host_adam.h"

#include <memory>
#include <utility>

#include "tf/adam.h"
#include "tf/binding.h"
#include "tf/host.h"

namespace deeptf {
namespace {

using tensorflow::AllocationDescription;
using tensorflow::TensorBuffer;

// Part of the memory as a tensor.
template <class T>
class SharedBuffer : public TensorBuffer {
 public:
  SharedBuffer(std::shared_ptr<const HostAdam<T>> owner, T* data, size_t bytes)
      : TensorBuffer(data), owner_(std::move(owner)), bytes_(bytes) {}
  size_t size() const override { return bytes_; }
  TensorBuffer* root_buffer() override { return this; }
  void FillAllocationDescription(AllocationDescription*) const override {}
  bool OwnsMemory() const override { return false; }  // nobody may write results there

 private:
  std::shared_ptr<const HostAdam<T>> owner_;
  size_t bytes_;
};

template <class T>
struct Attributes : AdamAttributes {
  explicit Attributes(OpKernelConstruction* context) : AdamAttributes(context), arrays(context) {
    OP_REQUIRES_OK(context, context->GetAttr("extra", &extra));
    make_op(context, &adam,
            [&] { return std::make_shared<HostAdam<T>>(arrays.host, arrays.sizes, extra); });
  }

  HostArrays arrays;
  int64_t extra;
  std::shared_ptr<const HostAdam<T>> adam;
};

// The numbers of a variable, for reading.
template <class T>
const T* readable(Var* variable) {
  const tensorflow::tf_shared_lock lock(*variable->mu());
  return variable->tensor()->flat<T>().data();
}

// Lets a variable have its numbers at `place`.
template <class T>
void keep_at(T* place, const std::shared_ptr<const HostAdam<T>>& owner, Var* variable) {
  const tensorflow::mutex_lock lock(*variable->mu());
  Tensor* tensor = variable->tensor();
  if (tensor->flat<T>().data() == place) return;
  const tensorflow::core::RefCountPtr<TensorBuffer> buffer(
      new SharedBuffer<T>(owner, place, tensor->TotalBytes()));
  *tensor = Tensor(tensor->dtype(), tensor->shape(), buffer.get());
}

// Inputs: rate; N variables of each kind, the moments last; N gradients; what else is to be summed.
template <class T>
void run(OpKernelContext* context, const Attributes<T>& attributes) {
  const AdamStep step = attributes.step(context);
  const int number = static_cast<int>(attributes.arrays.sizes.size());
  const auto gradients = attributes.arrays.template values<T>(context, 1 + 3 * number);
  const Tensor& numbers = input(context, 1 + 4 * number, "numbers", {attributes.extra});
  std::vector<VarPointer> variables;
  std::vector<AdamArrays<const T>> all;
  for (int k = 0; k < number; ++k) {
    const int64_t size = attributes.arrays.sizes[k];
    for (const int kind : {0, 1, 2}) {
      variables.push_back(variable_at(context, 1 + kind * number + k, size));
    }
    const VarPointer* of = &variables[3 * k];
    all.push_back({size, readable<T>(of[0].get()), readable<T>(of[1].get()),
                   readable<T>(of[2].get()), gradients[k]});
  }
  T* sums = output<T>(context, 0, {attributes.extra});
  attributes.adam->step(all, step, data<T>(numbers), sums, context_of(context));
  for (int k = 0; k < number; ++k) {
    keep_at(attributes.adam->weight(k), attributes.adam, variables[3 * k].get());
    keep_at(attributes.adam->first(k), attributes.adam, variables[3 * k + 1].get());
    keep_at(attributes.adam->second(k), attributes.adam, variables[3 * k + 2].get());
  }
}

}  // namespace

DEEPTF_HOST_OP("HostAdam")
    .Attr("extra: int >= 0")
    .DEEPTF_ADAM_STEP.Input("weights: N * resource")
    .Input("first: N * resource")
    .Input("second: N * resource")
    .Input("gradients: N * T")
    .Input("numbers: T")
    .Output("sums: T")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(c->num_inputs() - 1));
      return absl::OkStatus();
    });

DEEPTF_HOST_KERNELS("HostAdam");

}  // namespace deeptf
