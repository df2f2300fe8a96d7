// Bindings of Environment, EnvironmentGrad and EnvironmentGradGrad; see
// core/geometry/environment.h.
#include "core/geometry/environment.h"

#include "tf/binding.h"

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

// Reads the inputs from `shift` on: displacement, centre, atom_type, mean, stddev, rcut_smth, rcut.
EnvironmentInputs inputs_from(OpKernelContext* context, int shift) {
  const Tensor& displacement = input(context, shift, "displacement", {-1, 3});
  const Tensor& atom_type = input(context, shift + 2, "atom_type", {-1});
  const Tensor& mean = input(context, shift + 3, "mean", {-1, -1});
  const int64_t pairs = displacement.dim_size(0);
  const EnvironmentInputs in{
      pairs,
      atom_type.dim_size(0),
      static_cast<int32_t>(mean.dim_size(0)),
      mean.dim_size(1),
      data<double>(displacement),
      data<int32_t>(input(context, shift + 1, "centre", {pairs})),
      data<int32_t>(atom_type),
      data<double>(mean),
      data<double>(input(context, shift + 4, "stddev", {mean.dim_size(0), mean.dim_size(1)})),
      *data<double>(input(context, shift + 5, "rcut_smth", {})),
      *data<double>(input(context, shift + 6, "rcut", {})),
  };
  if (!(in.rcut_smth >= 0 && in.rcut_smth < in.rcut)) {
    throw Error("`rcut_smth` must be from 0 to below `rcut`, got " + std::to_string(in.rcut_smth) +
                " and " + std::to_string(in.rcut));
  }
  check_environment(in, context_of(context));
  return in;
}

class Environment : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const EnvironmentInputs in = inputs_from(context, 0);
      environment(in, context_of(context), output<double>(context, 0, {in.num_pairs, in.columns}));
    });
  }
};

class EnvironmentGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const EnvironmentInputs in = inputs_from(context, 1);
      const Tensor& row_grad = input(context, 0, "row_grad", {in.num_pairs, in.columns});
      environment_grad(in, context_of(context), data<double>(row_grad),
                       output<double>(context, 0, {in.num_pairs, 3}));
    });
  }
};

class EnvironmentGradGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const EnvironmentInputs in = inputs_from(context, 1);
      const Tensor& upstream = input(context, 0, "upstream", {in.num_pairs, 3});
      environment_grad_grad(in, context_of(context), data<double>(upstream),
                            output<double>(context, 0, {in.num_pairs, in.columns}));
    });
  }
};

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

REGISTER_KERNEL_BUILDER(Name("Environment").Device(tensorflow::DEVICE_CPU), Environment);
REGISTER_KERNEL_BUILDER(Name("EnvironmentGrad").Device(tensorflow::DEVICE_CPU), EnvironmentGrad);
REGISTER_KERNEL_BUILDER(Name("EnvironmentGradGrad").Device(tensorflow::DEVICE_CPU),
                        EnvironmentGradGrad);

}  // namespace deeptf
