// The ops Attention, AttentionGrad and AttentionGradGrad, and their CPU kernels.
#include "tf/attention.h"

namespace deeptf {
namespace {

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

DEEPTF_CPU_KERNELS("Attention", AttentionForm, pairs_attend);
DEEPTF_CPU_KERNELS("AttentionGrad", AttentionForm, pairs_attend_grad);
DEEPTF_CPU_KERNELS("AttentionGradGrad", AttentionForm, pairs_attend_grad_grad);

}  // namespace deeptf
