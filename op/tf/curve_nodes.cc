// The ops EmbeddingNodes and EmbeddingNodesGrad, and their CPU kernels.
#include "tf/curve_nodes.h"

namespace deeptf {
namespace {

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 2}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1}));
  c->set_output(0, c->UnknownShapeOfRank(3));
  return absl::OkStatus();
}

absl::Status shape_of_grads(InferenceContext* c) {
  for (int k = 0; k < c->num_outputs(); ++k) c->set_output(k, c->input(kFirstWeight + k));
  return absl::OkStatus();
}

}  // namespace

// What both ops have.
#define DEEPTF_NODES(OP)              \
  REGISTER_OP(OP)                     \
      .Attr("T: {float, double}")     \
      .Attr("N: int >= 1")            \
      .Attr("activation: string")     \
      .Attr("neuron: list(int) >= 1") \
      .Attr("resnet_dt: bool")        \
      .Attr("segments: int = 1")      \
      .Attr("bent: bool = false")     \
      .Input("node_row: int32")       \
      .Input("grid: double")          \
      .Input("needed_row: int32")     \
      .Input("weights: N * T")

DEEPTF_NODES("EmbeddingNodes").Output("nodes: T").SetShapeFn(shape_of_nodes);
DEEPTF_NODES("EmbeddingNodesGrad")
    .Input("nodes_grad: T")
    .Output("weights_grad: N * T")
    .SetShapeFn(shape_of_grads);
#undef DEEPTF_NODES

DEEPTF_CPU_KERNELS("EmbeddingNodes", NodeStyle, nodes_of_curves);
DEEPTF_CPU_KERNELS("EmbeddingNodesGrad", NodeStyle, nodes_of_curves_grad);

}  // namespace deeptf
