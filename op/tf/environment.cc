// The ops Environment, EnvironmentGrad and EnvironmentGradGrad, and their CPU kernels.
#include "tf/environment.h"

namespace deeptf {
namespace {

// Shapes of the inputs from `shift` on: those of inputs_from. Gives the number of pairs and of
// columns.
absl::Status expect_inputs(InferenceContext* c, int shift, DimensionHandle* pairs,
                           DimensionHandle* columns) {
  TF_RETURN_IF_ERROR(expect(c, shift, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, shift + 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, shift + 2, {-1}));
  TF_RETURN_IF_ERROR(expect(c, shift + 5, {}));
  TF_RETURN_IF_ERROR(expect(c, shift + 6, {}));
  ShapeHandle statistics;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(shift + 3), 2, &statistics));
  TF_RETURN_IF_ERROR(c->Merge(statistics, c->input(shift + 4), &statistics));
  *columns = c->Dim(statistics, 1);
  return c->Merge(c->Dim(c->input(shift), 0), c->Dim(c->input(shift + 1), 0), pairs);
}

absl::Status shape_of_rows(InferenceContext* c) {
  DimensionHandle pairs, columns;
  TF_RETURN_IF_ERROR(expect_inputs(c, 0, &pairs, &columns));
  c->set_output(0, c->Matrix(pairs, columns));
  return absl::OkStatus();
}

absl::Status shape_of_grad(InferenceContext* c) {
  DimensionHandle pairs, columns;
  TF_RETURN_IF_ERROR(expect_inputs(c, 1, &pairs, &columns));
  ShapeHandle rows;
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), c->Matrix(pairs, columns), &rows));
  c->set_output(0, c->Matrix(c->Dim(rows, 0), c->MakeDim(3)));
  return absl::OkStatus();
}

absl::Status shape_of_grad_grad(InferenceContext* c) {
  DimensionHandle pairs, columns;
  TF_RETURN_IF_ERROR(expect_inputs(c, 1, &pairs, &columns));
  ShapeHandle upstream;
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), c->Matrix(pairs, c->MakeDim(3)), &upstream));
  c->set_output(0, c->Matrix(c->Dim(upstream, 0), columns));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("Environment")
    .Input("displacement: double")
    .Input("centre: int32")
    .Input("atom_type: int32")
    .Input("mean: double")
    .Input("stddev: double")
    .Input("rcut_smth: double")
    .Input("rcut: double")
    .Output("rows: double")
    .SetShapeFn(shape_of_rows);

REGISTER_OP("EnvironmentGrad")
    .Input("row_grad: double")
    .Input("displacement: double")
    .Input("centre: int32")
    .Input("atom_type: int32")
    .Input("mean: double")
    .Input("stddev: double")
    .Input("rcut_smth: double")
    .Input("rcut: double")
    .Output("displacement_grad: double")
    .SetShapeFn(shape_of_grad);

REGISTER_OP("EnvironmentGradGrad")
    .Input("upstream: double")
    .Input("displacement: double")
    .Input("centre: int32")
    .Input("atom_type: int32")
    .Input("mean: double")
    .Input("stddev: double")
    .Input("rcut_smth: double")
    .Input("rcut: double")
    .Output("row_grad_grad: double")
    .SetShapeFn(shape_of_grad_grad);

DEEPTF_CPU_KERNEL("Environment", environment_rows);
DEEPTF_CPU_KERNEL("EnvironmentGrad", environment_rows_grad);
DEEPTF_CPU_KERNEL("EnvironmentGradGrad", environment_rows_grad_grad);

}  // namespace deeptf
