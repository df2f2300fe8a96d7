// The ops EmbeddingSum and its derivatives, and their CPU kernels.
#include "tf/curve_sum.h"

namespace deeptf {
namespace {

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  ShapeHandle rows = c->input(0);
  if (c->num_inputs() > kShared) TF_RETURN_IF_ERROR(c->Merge(rows, c->input(kShared), &rows));
  return set_sums(c);
}

absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, kShared, {-1, -1, -1}));
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, c->num_inputs() - 1, {-1, -1, -1}));
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

}  // namespace

DEEPTF_SUM_OP("EmbeddingSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_SUM_OP("EmbeddingSumGrad")
    .Input("upper: T")
    .Output("rows_grad: double")
    .SetShapeFn(shape_of_rows);
DEEPTF_SUM_OP("EmbeddingSumTangent")
    .Input("direction: double")
    .Output("tangent: T")
    .SetShapeFn(shape_of_sums);
DEEPTF_SUM_OP("EmbeddingTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_SUM_OP("EmbeddingTangentTableGrad")
    .Input("direction: double")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);

DEEPTF_CPU_KERNELS("EmbeddingSum", SumSizes, sum_of_curves);
DEEPTF_CPU_KERNELS("EmbeddingSumGrad", SumSizes, sum_of_curves_grad);
DEEPTF_CPU_KERNELS("EmbeddingSumTangent", SumSizes, sum_of_curves_tangent);
DEEPTF_CPU_KERNELS("EmbeddingTableGrad", SumSizes, grad_of_table);
DEEPTF_CPU_KERNELS("EmbeddingTangentTableGrad", SumSizes, grad_of_table_tangent);

}  // namespace deeptf
