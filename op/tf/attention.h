// What the bindings of Attention, AttentionGrad and AttentionGradGrad do on any device; see
// core/nets/attention.h.
#pragma once

#include <string>

#include "core/nets/attention.h"
#include "tf/binding.h"

namespace deeptf {

struct AttentionForm {
  explicit AttentionForm(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("places", &places));
    OP_REQUIRES_OK(context, context->GetAttr("smooth", &smooth));
    OP_REQUIRES_OK(context, context->GetAttr("dotr", &dotr));
    OP_REQUIRES_OK(context, context->GetAttr("diagonal", &diagonal));
    OP_REQUIRES(
        context, places > 0,
        absl::InvalidArgumentError("`places` must be positive, got " + std::to_string(places)));
  }
  int64_t places = 0;
  bool smooth = false, dotr = false, diagonal = false;
};

// Inputs attended, direction and gate from `index` on, of so many pairs.
template <class T>
AttentionArrays<T> attention_arrays(OpKernelContext* context, int index, int64_t pairs,
                                    int64_t width) {
  return {data<T>(input(context, index, "attended", {pairs, kParts, width})),
          data<T>(input(context, index + 1, "direction", {pairs, 3})),
          data<T>(input(context, index + 2, "gate", {pairs}))};
}

// The same of outputs.
template <class T>
AttentionGrads<T> attention_grads(OpKernelContext* context, int index, const Runs& runs) {
  return {output<T>(context, index, {runs.num_pairs, kParts, runs.width}),
          output<T>(context, index + 1, {runs.num_pairs, 3}),
          output<T>(context, index + 2, {runs.num_pairs})};
}

// Inputs 0 to 3.
template <class Device, class T>
struct AttentionInputs {
  AttentionInputs(OpKernelContext* context, const AttentionForm& form) {
    const Tensor& count = input(context, 0, "count", {-1});
    const Tensor& attended = input(context, 1, "attended", {-1, kParts, -1});
    const int64_t pairs = attended.dim_size(0), width = attended.dim_size(2);
    const Runs runs{count.dim_size(0), pairs, 3, width, data<int32_t>(count)};
    if constexpr (Device::kOnHost) check_runs(runs);
    shape = {runs, form.places, form.smooth, form.dotr, form.diagonal};
    values = attention_arrays<T>(context, 1, pairs, width);
  }

  AttentionShape shape;
  AttentionArrays<T> values;
};

template <class Device, class T>
void pairs_attend(OpKernelContext* context, const AttentionForm& form) {
  const AttentionInputs<Device, T> in(context, form);
  const Runs& runs = in.shape.runs;
  attention(in.shape, Device::of(context), in.values,
            output<T>(context, 0, {runs.num_pairs, runs.width}));
}

template <class Device, class T>
void pairs_attend_grad(OpKernelContext* context, const AttentionForm& form) {
  const AttentionInputs<Device, T> in(context, form);
  const Runs& runs = in.shape.runs;
  const T* upper = data<T>(input(context, 4, "upper", {runs.num_pairs, runs.width}));
  attention_grad(in.shape, Device::of(context), in.values, upper,
                 attention_grads<T>(context, 0, runs));
}

template <class Device, class T>
void pairs_attend_grad_grad(OpKernelContext* context, const AttentionForm& form) {
  const AttentionInputs<Device, T> in(context, form);
  const Runs& runs = in.shape.runs;
  const T* upper = data<T>(input(context, 4, "upper", {runs.num_pairs, runs.width}));
  const auto first = attention_arrays<T>(context, 5, runs.num_pairs, runs.width);
  const auto tangent = attention_arrays<T>(context, 8, runs.num_pairs, runs.width);
  T* upper_grad = output<T>(context, 0, {runs.num_pairs, runs.width});
  attention_grad_grad(in.shape, Device::of(context), in.values, upper, first, tangent, upper_grad,
                      attention_grads<T>(context, 1, runs));
}

}  // namespace deeptf
