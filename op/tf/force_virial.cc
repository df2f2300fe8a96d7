// Bindings of ForceVirial, ForceVirialGrad and AtomVirial; see core/geometry/force_virial.h.
#include "core/geometry/force_virial.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

// Shape [len(frame_row) - 1, 9].
absl::Status virial_shape(InferenceContext* c, int frame_row, ShapeHandle* shape) {
  DimensionHandle frames;
  TF_RETURN_IF_ERROR(c->Subtract(c->Dim(c->input(frame_row), 0), 1, &frames));
  *shape = c->Matrix(frames, c->MakeDim(9));
  return absl::OkStatus();
}

absl::Status shape_of_force(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 3}));
  for (int k = 2; k < 6; ++k) TF_RETURN_IF_ERROR(expect(c, k, {-1}));
  ShapeHandle virial;
  TF_RETURN_IF_ERROR(virial_shape(c, 5, &virial));
  c->set_output(0, c->Matrix(c->Dim(c->input(4), 0), c->MakeDim(3)));
  c->set_output(1, virial);
  return absl::OkStatus();
}

absl::Status shape_of_force_grad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 9}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, 3}));
  for (int k = 3; k < 6; ++k) TF_RETURN_IF_ERROR(expect(c, k, {-1}));
  ShapeHandle virial;
  TF_RETURN_IF_ERROR(virial_shape(c, 5, &virial));
  TF_RETURN_IF_ERROR(c->Merge(virial, c->input(1), &virial));
  c->set_output(0, c->Matrix(c->Dim(c->input(2), 0), c->MakeDim(3)));
  return absl::OkStatus();
}

absl::Status shape_of_atom_virial(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1}));
  c->set_output(0, c->Matrix(c->Dim(c->input(3), 0), c->MakeDim(9)));
  return absl::OkStatus();
}

// Checked inputs; `displacement`, `centre`, `neighbor` and `frame_row` are positions.
ForceInputs inputs_at(OpKernelContext* context, int displacement, int centre, int neighbor,
                      int frame_row, int64_t num_all) {
  const int64_t pairs = input(context, displacement, "displacement", {-1, 3}).dim_size(0);
  const Tensor& rows = input(context, frame_row, "frame_row", {-1});
  if (rows.dim_size(0) < 1) throw Error("`frame_row` must have F + 1 elements, got none");
  const ForceInputs in{pairs,
                       num_all,
                       rows.dim_size(0) - 1,
                       data<double>(context->input(displacement)),
                       data<int32_t>(input(context, centre, "centre", {pairs})),
                       data<int32_t>(input(context, neighbor, "neighbor", {pairs})),
                       data<int32_t>(rows)};
  check_force(in, context_of(context));
  return in;
}

class ForceVirial : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const int64_t num_all = input(context, 4, "atom_type", {-1}).dim_size(0);
      const ForceInputs in = inputs_at(context, 1, 2, 3, 5, num_all);
      const Tensor& gradient = input(context, 0, "pair_gradient", {in.num_pairs, 3});
      double* force = output<double>(context, 0, {num_all, 3});
      double* virial = output<double>(context, 1, {in.num_frames, 9});
      force_virial(in, context_of(context), data<double>(gradient), force, virial);
    });
  }
};

class ForceVirialGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& force_grad = input(context, 0, "force_grad", {-1, 3});
      const ForceInputs in = inputs_at(context, 2, 3, 4, 5, force_grad.dim_size(0));
      const Tensor& virial_grad = input(context, 1, "virial_grad", {in.num_frames, 9});
      force_virial_grad(in, context_of(context), data<double>(force_grad),
                        data<double>(virial_grad), output<double>(context, 0, {in.num_pairs, 3}));
    });
  }
};

class AtomVirial : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& gradient = input(context, 0, "pair_gradient", {-1, 3});
      const int64_t pairs = gradient.dim_size(0);
      const int64_t num_all = input(context, 3, "atom_type", {-1}).dim_size(0);
      const ForceInputs in{pairs,   num_all,
                           0,       data<double>(input(context, 1, "displacement", {pairs, 3})),
                           nullptr, data<int32_t>(input(context, 2, "neighbor", {pairs})),
                           nullptr};
      check_force(in, context_of(context));
      atom_virial(in, context_of(context), data<double>(gradient),
                  output<double>(context, 0, {num_all, 9}));
    });
  }
};

}  // namespace

REGISTER_OP("ForceVirial")
    .Input("pair_gradient: double")
    .Input("displacement: double")
    .Input("centre: int32")
    .Input("neighbor: int32")
    .Input("atom_type: int32")
    .Input("frame_row: int32")
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
    .Output("pair_gradient: double")
    .SetShapeFn(shape_of_force_grad);

REGISTER_OP("AtomVirial")
    .Input("pair_gradient: double")
    .Input("displacement: double")
    .Input("neighbor: int32")
    .Input("atom_type: int32")
    .Output("atom_virial: double")
    .SetShapeFn(shape_of_atom_virial);

REGISTER_KERNEL_BUILDER(Name("ForceVirial").Device(tensorflow::DEVICE_CPU), ForceVirial);
REGISTER_KERNEL_BUILDER(Name("ForceVirialGrad").Device(tensorflow::DEVICE_CPU), ForceVirialGrad);
REGISTER_KERNEL_BUILDER(Name("AtomVirial").Device(tensorflow::DEVICE_CPU), AtomVirial);

}  // namespace deeptf
