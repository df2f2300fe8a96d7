// Binding of HostSum; see train/host_sum.h.
#include "train/host_sum.h"

#include <memory>
#include <vector>

#include "tf/binding.h"
#include "tf/host.h"

namespace deeptf {
namespace {

template <class T>
struct Attributes {
  explicit Attributes(OpKernelConstruction* context) : arrays(context) {
    make_op(context, &sum, [&] { return std::make_unique<HostSum<T>>(arrays.host, arrays.sizes); });
  }

  HostArrays arrays;
  std::unique_ptr<const HostSum<T>> sum;
};

template <class T>
void run(OpKernelContext* context, const Attributes<T>& attributes) {
  const std::vector<const T*> values = attributes.arrays.template values<T>(context, 0);
  std::vector<T*> sums;
  for (int k = 0; k < context->num_outputs(); ++k) {
    Tensor* sum = nullptr;
    if (!context->allocate_output(k, context->input(k).shape(), &sum).ok()) throw std::bad_alloc();
    sums.push_back(sum->flat<T>().data());
  }
  attributes.sum->sum(values, sums, context_of(context));
}

absl::Status shape_of_sums(InferenceContext* c) {
  for (int k = 0; k < c->num_outputs(); ++k) c->set_output(k, c->input(k));
  return absl::OkStatus();
}

}  // namespace

DEEPTF_HOST_OP("HostSum").Input("values: N * T").Output("sums: N * T").SetShapeFn(shape_of_sums);

DEEPTF_HOST_KERNELS("HostSum");

}  // namespace deeptf
