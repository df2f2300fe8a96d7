// The ops GatedSum and its derivatives, and their CPU kernels.
#include "tf/gated_sum.h"

namespace deeptf {
namespace {

absl::Status expect_gated(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, kShared, {-1, -1, -1}));
  return expect(c, kShared + 1, {-1});
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  return set_sums(c);
}

absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  c->set_output(0, c->input(0));
  c->set_output(1, c->input(kShared + 1));
  return absl::OkStatus();
}

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

absl::Status shape_of_gate(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  c->set_output(0, c->input(kShared));
  return absl::OkStatus();
}

}  // namespace

#define DEEPTF_GATED(NAME) DEEPTF_SUM_OP(NAME).Input("gate: T").Input("share: double")
#define DEEPTF_ALONG(NAME) \
  DEEPTF_GATED(NAME).Input("direction: double").Input("share_direction: double")
DEEPTF_GATED("GatedSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_GATED("GatedSumGrad")
    .Input("upper: T")
    .Output("rows_grad: double")
    .Output("share_grad: double")
    .SetShapeFn(shape_of_rows);
DEEPTF_ALONG("GatedSumTangent").Output("tangent: T").SetShapeFn(shape_of_sums);
DEEPTF_GATED("GatedTableGrad").Input("upper: T").Output("nodes_grad: T").SetShapeFn(shape_of_nodes);
DEEPTF_ALONG("GatedTangentTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_GATED("GateGrad").Input("upper: T").Output("gate_grad: T").SetShapeFn(shape_of_gate);
DEEPTF_ALONG("GateTangentGrad").Input("upper: T").Output("gate_grad: T").SetShapeFn(shape_of_gate);
#undef DEEPTF_GATED
#undef DEEPTF_ALONG

DEEPTF_CPU_KERNELS("GatedSum", SumSizes, sum_with_gates);
DEEPTF_CPU_KERNELS("GatedSumGrad", SumSizes, sum_with_gates_grad);
DEEPTF_CPU_KERNELS("GatedSumTangent", SumSizes, sum_with_gates_tangent);
DEEPTF_CPU_KERNELS("GatedTableGrad", SumSizes, grad_of_gated_table);
DEEPTF_CPU_KERNELS("GatedTangentTableGrad", SumSizes, grad_of_gated_table_tangent);
DEEPTF_CPU_KERNELS("GateGrad", SumSizes, grad_of_gate);
DEEPTF_CPU_KERNELS("GateTangentGrad", SumSizes, grad_of_gate_tangent);

}  // namespace deeptf
