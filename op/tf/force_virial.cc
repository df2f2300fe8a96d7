// The ops ForceVirial, ForceVirialGrad and AtomVirial, and their CPU kernels.
#include "tf/force_virial.h"

namespace deeptf {
namespace {

// Shape [len(frame_row) - 1, 9].
absl::Status virial_shape(InferenceContext* c, int frame_row, ShapeHandle* shape) {
  DimensionHandle frames;
  TF_RETURN_IF_ERROR(c->Subtract(c->Dim(c->input(frame_row), 0), 1, &frames));
  *shape = c->Matrix(frames, c->MakeDim(9));
  return absl::OkStatus();
}

// The inputs of one rank each, from `index` on.
absl::Status expect_ranks(InferenceContext* c, int index, std::initializer_list<int> ranks) {
  ShapeHandle shape;
  for (const int rank : ranks) TF_RETURN_IF_ERROR(c->WithRank(c->input(index++), rank, &shape));
  return absl::OkStatus();
}

// Shape [len(pair_row) - 1, width].
absl::Status atoms_shape(InferenceContext* c, int pair_row, int64_t width, ShapeHandle* shape) {
  DimensionHandle atoms;
  TF_RETURN_IF_ERROR(c->Subtract(c->Dim(c->input(pair_row), 0), 1, &atoms));
  *shape = c->Matrix(atoms, c->MakeDim(width));
  return absl::OkStatus();
}

absl::Status shape_of_force(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 3}));
  TF_RETURN_IF_ERROR(expect_ranks(c, 2, {1, 1, 1, 1, 2, 2, 1, 1}));
  ShapeHandle force, virial;
  TF_RETURN_IF_ERROR(atoms_shape(c, 8, 3, &force));
  TF_RETURN_IF_ERROR(virial_shape(c, 4, &virial));
  c->set_output(0, force);
  c->set_output(1, virial);
  return absl::OkStatus();
}

absl::Status shape_of_force_grad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 9}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, 3}));
  TF_RETURN_IF_ERROR(expect_ranks(c, 3, {1, 1, 1, 1, 2, 2, 1, 1}));
  ShapeHandle virial;
  TF_RETURN_IF_ERROR(virial_shape(c, 5, &virial));
  TF_RETURN_IF_ERROR(c->Merge(virial, c->input(1), &virial));
  c->set_output(0, c->Matrix(c->Dim(c->input(2), 0), c->MakeDim(3)));
  return absl::OkStatus();
}

absl::Status shape_of_atom_virial(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 3}));
  TF_RETURN_IF_ERROR(expect_ranks(c, 2, {1, 1}));
  ShapeHandle virial;
  TF_RETURN_IF_ERROR(atoms_shape(c, 2, 9, &virial));
  c->set_output(0, virial);
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("ForceVirial")
    .Input("pair_gradient: double")
    .Input("displacement: double")
    .Input("centre: int32")
    .Input("neighbor: int32")
    .Input("frame_row: int32")
    .Input("atom_order: int32")
    .Input("first_pair: int32")
    .Input("neighbor_count: int32")
    .Input("pair_row: int32")
    .Input("pair_of: int32")
    .Output("force: double")
    .Output("virial: double")
    .SetShapeFn(shape_of_force);

REGISTER_OP("ForceVirialGrad")
    .Input("force_grad: double")
    .Input("virial_grad: double")
    .Input("displacement: double")
    .Input("centre: int32")
    .Input("neighbor: int32")
    .Input("frame_row: int32")
    .Input("atom_order: int32")
    .Input("first_pair: int32")
    .Input("neighbor_count: int32")
    .Input("pair_row: int32")
    .Input("pair_of: int32")
    .Output("pair_gradient: double")
    .SetShapeFn(shape_of_force_grad);

REGISTER_OP("AtomVirial")
    .Input("pair_gradient: double")
    .Input("displacement: double")
    .Input("pair_row: int32")
    .Input("pair_of: int32")
    .Output("atom_virial: double")
    .SetShapeFn(shape_of_atom_virial);

DEEPTF_CPU_KERNEL("ForceVirial", force_and_virial);
DEEPTF_CPU_KERNEL("ForceVirialGrad", force_and_virial_grad);
DEEPTF_CPU_KERNEL("AtomVirial", virial_of_atoms);

}  // namespace deeptf
