// The ops NeighborSum, NeighborSumValueGrad and NeighborSumWeightGrad, and their CPU kernels.
#include "tf/neighbor_sum.h"

namespace deeptf {
namespace {

// Merges the pair axis of two [p, *] inputs.
absl::Status merge_pairs(InferenceContext* c, int one, int other, DimensionHandle* pairs) {
  return c->Merge(c->Dim(c->input(one), 0), c->Dim(c->input(other), 0), pairs);
}

absl::Status shape_of_sum(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1}));
  DimensionHandle pairs;
  TF_RETURN_IF_ERROR(merge_pairs(c, 1, 2, &pairs));
  c->set_output(
      0, c->MakeShape({c->Dim(c->input(0), 0), c->Dim(c->input(1), 1), c->Dim(c->input(2), 1)}));
  return absl::OkStatus();
}

// Output [p, M] (axis = 2) or [p, W] (axis = 1) from inputs count, [p, W or M], grad [n, W, M].
absl::Status shape_of_grad(InferenceContext* c, int axis) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1, -1}));
  DimensionHandle same;
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(0), 0), c->Dim(c->input(2), 0), &same));
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(1), 1), c->Dim(c->input(2), 3 - axis), &same));
  c->set_output(0, c->Matrix(c->Dim(c->input(1), 0), c->Dim(c->input(2), axis)));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("NeighborSum")
    .Attr("T: {float, double}")
    .Input("count: int32")
    .Input("weight: T")
    .Input("value: T")
    .Output("sum: T")
    .SetShapeFn(shape_of_sum);

REGISTER_OP("NeighborSumValueGrad")
    .Attr("T: {float, double}")
    .Input("count: int32")
    .Input("weight: T")
    .Input("grad: T")
    .Output("value_grad: T")
    .SetShapeFn([](InferenceContext* c) { return shape_of_grad(c, 2); });

REGISTER_OP("NeighborSumWeightGrad")
    .Attr("T: {float, double}")
    .Input("count: int32")
    .Input("value: T")
    .Input("grad: T")
    .Output("weight_grad: T")
    .SetShapeFn([](InferenceContext* c) { return shape_of_grad(c, 1); });

DEEPTF_CPU_KERNELS("NeighborSum", NoAttributes, sum_of_neighbors);
DEEPTF_CPU_KERNELS("NeighborSumValueGrad", NoAttributes, sum_of_neighbors_value_grad);
DEEPTF_CPU_KERNELS("NeighborSumWeightGrad", NoAttributes, sum_of_neighbors_weight_grad);

}  // namespace deeptf
