// The ops PairTableEnergy, ZblEnergy and SoftMinimum, and their CPU kernels.
#include "tf/centre_pairs.h"

namespace deeptf {
namespace {

// A number of each atom, and its gradient in the displacement of each of its pairs.
absl::Status shape_of_values(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1}));
  ShapeHandle same;
  TF_RETURN_IF_ERROR(c->Merge(c->input(2), c->input(3), &same));
  DimensionHandle atoms;
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(1), 0), c->Dim(same, 0), &atoms));
  c->set_output(0, c->Vector(atoms));
  c->set_output(1, c->Matrix(c->Dim(c->input(0), 0), c->MakeDim(3)));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("PairTableEnergy")
    .Input("displacement: double")
    .Input("type: int32")
    .Input("neighbor_count: int32")
    .Input("first_pair: int32")
    .Input("nodes: double")
    .Input("grid: double")
    .Input("centre: int32")
    .Input("neighbor: int32")
    .Input("frame_row: int32")
    .Output("energy: double")
    .Output("pair_gradient: double")
    .SetShapeFn(shape_of_values);

REGISTER_OP("ZblEnergy")
    .Input("displacement: double")
    .Input("type: int32")
    .Input("neighbor_count: int32")
    .Input("first_pair: int32")
    .Input("atomic_number: double")
    .Input("ends: double")
    .Output("energy: double")
    .Output("pair_gradient: double")
    .SetShapeFn(shape_of_values);

REGISTER_OP("SoftMinimum")
    .Input("displacement: double")
    .Input("type: int32")
    .Input("neighbor_count: int32")
    .Input("first_pair: int32")
    .Input("lengths: double")
    .Output("value: double")
    .Output("pair_gradient: double")
    .SetShapeFn(shape_of_values);

DEEPTF_CPU_KERNEL("PairTableEnergy", energies_of_table);
DEEPTF_CPU_KERNEL("ZblEnergy", energies_of_zbl);
DEEPTF_CPU_KERNEL("SoftMinimum", switches);

}  // namespace deeptf
