// Bindings of Environment, EnvironmentGrad and EnvironmentGradGrad; see
// core/geometry/environment.h.
#include "core/geometry/environment.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

// Input 0 has `columns` columns (displacement, row gradient or upstream); the output has 7 -
// columns.
absl::Status shape_of_rows(InferenceContext* c, int64_t columns) {
  const int shift = c->num_inputs() - 7;  // the gradients have one input more in front
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, columns}));
  TF_RETURN_IF_ERROR(expect(c, shift, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, shift + 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, shift + 2, {-1}));
  TF_RETURN_IF_ERROR(expect(c, shift + 3, {-1, 4}));
  TF_RETURN_IF_ERROR(expect(c, shift + 4, {-1, 4}));
  TF_RETURN_IF_ERROR(expect(c, shift + 5, {}));
  TF_RETURN_IF_ERROR(expect(c, shift + 6, {}));
  DimensionHandle pairs;
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(shift), 0), c->Dim(c->input(shift + 1), 0), &pairs));
  TF_RETURN_IF_ERROR(c->Merge(pairs, c->Dim(c->input(0), 0), &pairs));
  c->set_output(0, c->Matrix(pairs, c->MakeDim(7 - columns)));
  return absl::OkStatus();
}

// Reads the inputs from `shift` on: displacement, centre, atom_type, mean, stddev, rcut_smth, rcut.
EnvironmentInputs inputs_from(OpKernelContext* context, int shift) {
  const Tensor& displacement = input(context, shift, "displacement", {-1, 3});
  const Tensor& atom_type = input(context, shift + 2, "atom_type", {-1});
  const Tensor& mean = input(context, shift + 3, "mean", {-1, 4});
  const int64_t pairs = displacement.dim_size(0);
  const EnvironmentInputs in{
      pairs,
      atom_type.dim_size(0),
      static_cast<int32_t>(mean.dim_size(0)),
      data<double>(displacement),
      data<int32_t>(input(context, shift + 1, "centre", {pairs})),
      data<int32_t>(atom_type),
      data<double>(mean),
      data<double>(input(context, shift + 4, "stddev", {mean.dim_size(0), 4})),
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
      environment(in, context_of(context), output<double>(context, 0, {in.num_pairs, 4}));
    });
  }
};

class EnvironmentGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const EnvironmentInputs in = inputs_from(context, 1);
      const Tensor& row_grad = input(context, 0, "row_grad", {in.num_pairs, 4});
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
                            output<double>(context, 0, {in.num_pairs, 4}));
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
    .SetShapeFn([](InferenceContext* c) { return shape_of_rows(c, 3); });

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
    .SetShapeFn([](InferenceContext* c) { return shape_of_rows(c, 4); });

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
    .SetShapeFn([](InferenceContext* c) { return shape_of_rows(c, 3); });

REGISTER_KERNEL_BUILDER(Name("Environment").Device(tensorflow::DEVICE_CPU), Environment);
REGISTER_KERNEL_BUILDER(Name("EnvironmentGrad").Device(tensorflow::DEVICE_CPU), EnvironmentGrad);
REGISTER_KERNEL_BUILDER(Name("EnvironmentGradGrad").Device(tensorflow::DEVICE_CPU),
                        EnvironmentGradGrad);

}  // namespace deeptf
