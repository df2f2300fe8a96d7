// The ops FittingNet and FittingNetGrad, and their CPU kernels.
#include "tf/fitting_net.h"

namespace deeptf {
namespace {

// H, the sum of attribute `neuron`.
absl::Status hidden_width(InferenceContext* c, int64_t* hidden) {
  std::vector<int64_t> neuron;
  TF_RETURN_IF_ERROR(c->GetAttr("neuron", &neuron));
  *hidden = 0;
  for (const int64_t width : neuron) *hidden += width;
  return absl::OkStatus();
}

absl::Status shape_of_net(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1}));
  int64_t hidden = 0;
  TF_RETURN_IF_ERROR(hidden_width(c, &hidden));
  const DimensionHandle atoms = c->Dim(c->input(0), 0);
  c->set_output(0, c->Vector(atoms));
  c->set_output(1, c->input(0));
  c->set_output(2, c->Matrix(atoms, hidden));
  c->set_output(3, c->Matrix(atoms, hidden));
  return absl::OkStatus();
}

absl::Status shape_of_grad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1}));
  int64_t hidden = 0;
  TF_RETURN_IF_ERROR(hidden_width(c, &hidden));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, hidden}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1, hidden}));
  TF_RETURN_IF_ERROR(expect(c, 4, {-1, -1}));
  ShapeHandle descriptor;
  TF_RETURN_IF_ERROR(c->Merge(c->input(1), c->input(4), &descriptor));
  c->set_output(0, descriptor);
  for (int weight = 1; weight < c->num_outputs(); ++weight) {
    c->set_output(weight, c->input(weight + 5));
  }
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("FittingNet")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .Attr("neuron: list(int)")
    .Attr("activation: string")
    .Attr("resnet_dt: bool")
    .Input("descriptor: T")
    .Input("atom_count: int32")
    .Input("weights: N * T")
    .Output("energy: T")
    .Output("slope: T")
    .Output("preactivation: T")
    .Output("backward: T")
    .SetShapeFn(shape_of_net);

REGISTER_OP("FittingNetGrad")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .Attr("neuron: list(int)")
    .Attr("activation: string")
    .Attr("resnet_dt: bool")
    .Input("energy_grad: T")
    .Input("slope_grad: T")
    .Input("preactivation: T")
    .Input("backward: T")
    .Input("descriptor: T")
    .Input("atom_count: int32")
    .Input("weights: N * T")
    .Output("descriptor_grad: T")
    .Output("weight_grads: N * T")
    .SetShapeFn(shape_of_grad);

DEEPTF_CPU_KERNELS("FittingNet", FittingAttributes, energy_and_slope);
DEEPTF_CPU_KERNELS("FittingNetGrad", FittingAttributes, energy_and_slope_grad);

}  // namespace deeptf
