// Bindings of Attention, AttentionGrad and AttentionGradGrad; see core/nets/attention.h.
#include "core/nets/attention.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

constexpr int kParts = 3;  // query, key, value

struct Form {
  explicit Form(OpKernelConstruction* context) {
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
AttentionArrays<T> arrays(OpKernelContext* context, int index, int64_t pairs, int64_t width) {
  return {data<T>(input(context, index, "attended", {pairs, kParts, width})),
          data<T>(input(context, index + 1, "direction", {pairs, 3})),
          data<T>(input(context, index + 2, "gate", {pairs}))};
}

// The same of outputs.
template <class T>
AttentionGrads<T> grads(OpKernelContext* context, int index, const Runs& runs) {
  return {output<T>(context, index, {runs.num_pairs, kParts, runs.width}),
          output<T>(context, index + 1, {runs.num_pairs, 3}),
          output<T>(context, index + 2, {runs.num_pairs})};
}

// Inputs 0 to 3.
template <class T>
struct Inputs {
  Inputs(OpKernelContext* context, const Form& form) {
    const Tensor& count = input(context, 0, "count", {-1});
    const Tensor& attended = input(context, 1, "attended", {-1, kParts, -1});
    const int64_t pairs = attended.dim_size(0), width = attended.dim_size(2);
    const Runs runs{count.dim_size(0), pairs, 3, width, data<int32_t>(count)};
    check_runs(runs);
    shape = {runs, form.places, form.smooth, form.dotr, form.diagonal};
    values = arrays<T>(context, 1, pairs, width);
  }

  AttentionShape shape;
  AttentionArrays<T> values;
};

template <class T>
void out(OpKernelContext* context, const Form& form) {
  const Inputs<T> in(context, form);
  const Runs& runs = in.shape.runs;
  attention(in.shape, context_of(context), in.values,
            output<T>(context, 0, {runs.num_pairs, runs.width}));
}

template <class T>
void grad(OpKernelContext* context, const Form& form) {
  const Inputs<T> in(context, form);
  const Runs& runs = in.shape.runs;
  const T* upper = data<T>(input(context, 4, "upper", {runs.num_pairs, runs.width}));
  attention_grad(in.shape, context_of(context), in.values, upper, grads<T>(context, 0, runs));
}

template <class T>
void grad_grad(OpKernelContext* context, const Form& form) {
  const Inputs<T> in(context, form);
  const Runs& runs = in.shape.runs;
  const T* upper = data<T>(input(context, 4, "upper", {runs.num_pairs, runs.width}));
  const auto first = arrays<T>(context, 5, runs.num_pairs, runs.width);
  const auto tangent = arrays<T>(context, 8, runs.num_pairs, runs.width);
  T* upper_grad = output<T>(context, 0, {runs.num_pairs, runs.width});
  attention_grad_grad(in.shape, context_of(context), in.values, upper, first, tangent, upper_grad,
                      grads<T>(context, 1, runs));
}

// Sizes of the inputs from `index` on: [p, 3, w], [p, 3], [p].
absl::Status expect_arrays(InferenceContext* c, int index) {
  TF_RETURN_IF_ERROR(expect(c, index, {-1, kParts, -1}));
  TF_RETURN_IF_ERROR(expect(c, index + 1, {-1, 3}));
  return expect(c, index + 2, {-1});
}

absl::Status shape_of_out(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect_arrays(c, 1));
  c->set_output(0, c->Matrix(c->Dim(c->input(1), 0), c->Dim(c->input(1), 2)));
  return absl::OkStatus();
}

absl::Status shape_of_grad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(shape_of_out(c));
  TF_RETURN_IF_ERROR(expect(c, 4, {-1, -1}));
  for (int index = 0; index < 3; ++index) c->set_output(index, c->input(1 + index));
  return absl::OkStatus();
}

absl::Status shape_of_grad_grad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(shape_of_grad(c));
  TF_RETURN_IF_ERROR(expect_arrays(c, 5));
  TF_RETURN_IF_ERROR(expect_arrays(c, 8));
  c->set_output(0, c->input(4));
  for (int index = 0; index < 3; ++index) c->set_output(1 + index, c->input(1 + index));
  return absl::OkStatus();
}

}  // namespace

#define DEEPTF_ATTENTION(NAME)    \
  REGISTER_OP(NAME)               \
      .Attr("T: {float, double}") \
      .Attr("places: int")        \
      .Attr("smooth: bool")       \
      .Attr("dotr: bool")         \
      .Attr("diagonal: bool")     \
      .Input("count: int32")      \
      .Input("attended: T")       \
      .Input("direction: T")      \
      .Input("gate: T")

DEEPTF_ATTENTION("Attention").Output("out: T").SetShapeFn(shape_of_out);
DEEPTF_ATTENTION("AttentionGrad")
    .Input("upper: T")
    .Output("attended_grad: T")
    .Output("direction_grad: T")
    .Output("gate_grad: T")
    .SetShapeFn(shape_of_grad);
DEEPTF_ATTENTION("AttentionGradGrad")
    .Input("upper: T")
    .Input("attended_grad: T")
    .Input("direction_grad: T")
    .Input("gate_grad: T")
    .Input("attended_tangent: T")
    .Input("direction_tangent: T")
    .Input("gate_tangent: T")
    .Output("upper_grad: T")
    .Output("attended_second: T")
    .Output("direction_second: T")
    .Output("gate_second: T")
    .SetShapeFn(shape_of_grad_grad);
#undef DEEPTF_ATTENTION

DEEPTF_KERNELS("Attention", Form, out);
DEEPTF_KERNELS("AttentionGrad", Form, grad);
DEEPTF_KERNELS("AttentionGradGrad", Form, grad_grad);

}  // namespace deeptf
