// The ops EmbeddingSum and its derivatives, and their CPU kernels.
#include "tf/curve_sum.h"

namespace deeptf {
namespace {

absl::Status expect_shared(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1, -1}));
  TF_RETURN_IF_ERROR(expect_segments(c, 2));
  TF_RETURN_IF_ERROR(expect_pairs(c, 4));
  return expect(c, kSharedInputs - 1, {-1});
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  ShapeHandle rows;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &rows));
  if (c->num_inputs() > kSharedInputs)
    TF_RETURN_IF_ERROR(c->Merge(rows, c->input(kSharedInputs), &rows));
  int64_t width;
  TF_RETURN_IF_ERROR(c->GetAttr("width", &width));
  c->set_output(0, c->MakeShape({c->Dim(c->input(8), 0), c->Dim(rows, 1), c->MakeDim(width)}));
  if (c->num_outputs() > 1) {  // the sums themselves, with what lies outside the range of the data
    for (const int index : {1, 2}) c->set_output(index, c->input(4));
  }
  return absl::OkStatus();
}

absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, kSharedInputs, {-1, -1, -1}));
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

#define DEEPTF_SHARED(NAME)           \
  REGISTER_OP(NAME)                   \
      .Attr("T: {float, double}")     \
      .Attr("width: int")             \
      .Attr("segments: int = 1")      \
      .Attr("near: int = 0")          \
      .Input("rows: double")          \
      .Input("nodes: T")              \
      .Input("node_row: int32")       \
      .Input("grid: double")          \
      .Input("curve: int32")          \
      .Input("sel: double")           \
      .Input("empty: double")         \
      .Input("atom_count: int32")     \
      .Input("neighbor_count: int32") \
      .Input("needed_row: int32")
DEEPTF_SHARED("EmbeddingSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_SHARED("EmbeddingSumGrad")
    .Input("upper: T")
    .Output("rows_grad: double")
    .SetShapeFn(shape_of_rows);
DEEPTF_SHARED("EmbeddingSumTangent")
    .Input("direction: double")
    .Output("tangent: T")
    .SetShapeFn(shape_of_sums);
DEEPTF_SHARED("EmbeddingTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_SHARED("EmbeddingTangentTableGrad")
    .Input("direction: double")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
#undef DEEPTF_SHARED

DEEPTF_CPU_KERNELS("EmbeddingSum", SumSizes, sum_of_curves);
DEEPTF_CPU_KERNELS("EmbeddingSumGrad", SumSizes, sum_of_curves_grad);
DEEPTF_CPU_KERNELS("EmbeddingSumTangent", SumSizes, sum_of_curves_tangent);
DEEPTF_CPU_KERNELS("EmbeddingTableGrad", SumSizes, grad_of_table);
DEEPTF_CPU_KERNELS("EmbeddingTangentTableGrad", SumSizes, grad_of_table_tangent);

}  // namespace deeptf
