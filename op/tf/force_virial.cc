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

// Checked inputs `displacement`, `centre`, `neighbor` and `frame_row` from `first` on.
ForceInputs inputs_from(OpKernelContext* context, int first, int64_t num_all, bool neighbors) {
  const int64_t pairs = input(context, first, "displacement", {-1, 3}).dim_size(0);
  const Tensor& neighbor = input(context, first + 2, "neighbor", {pairs});
  const Tensor& rows = input(context, first + 3, "frame_row", {-1});
  if (rows.dim_size(0) < 1) throw Error("`frame_row` must have F + 1 elements, got none");
  const ForceInputs in{pairs,
                       num_all,
                       rows.dim_size(0) - 1,
                       data<double>(context->input(first)),
                       data<int32_t>(input(context, first + 1, "centre", {pairs})),
                       neighbors ? data<int32_t>(neighbor) : nullptr,
                       data<int32_t>(rows)};
  check_force(in, context_of(context));
  return in;
}

// Inputs `pair_row` and `pair_of` from `first` on.
PairsOfAtoms reverse_from(OpKernelContext* context, int first, int64_t num_pairs) {
  const Tensor& row = input(context, first, "pair_row", {-1});
  if (row.dim_size(0) < 1) throw Error("`pair_row` must have N_all + 1 elements, got none");
  PairsOfAtoms pairs{};
  pairs.num_pairs = num_pairs;
  pairs.num_all = row.dim_size(0) - 1;
  pairs.pair_row = data<int32_t>(row);
  pairs.pair_of = data<int32_t>(input(context, first + 1, "pair_of", {num_pairs}));
  return pairs;
}

class ForceVirial : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& gradient = input(context, 0, "pair_gradient", {-1, 3});
      PairsOfAtoms pairs = reverse_from(context, 8, gradient.dim_size(0));
      const Tensor& order = input(context, 5, "atom_order", {-1});
      const Tensor& first = input(context, 6, "first_pair", {order.dim_size(0), -1});
      pairs.num_real = first.dim_size(0);
      pairs.num_types = first.dim_size(1);
      pairs.atom_order = data<int32_t>(order);
      pairs.first_pair = data<int32_t>(first);
      pairs.neighbor_count =
          data<int32_t>(input(context, 7, "neighbor_count", {pairs.num_real, pairs.num_types}));
      input(context, 1, "displacement", {pairs.num_pairs, 3});
      const ForceInputs in = inputs_from(context, 1, pairs.num_all, false);
      double* force = output<double>(context, 0, {in.num_all, 3});
      double* virial = output<double>(context, 1, {in.num_frames, 9});
      force_virial(in, pairs, context_of(context), data<double>(gradient), force, virial);
    });
  }
};

// The last five inputs are for its own gradient, which is a force again.
class ForceVirialGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& force_grad = input(context, 0, "force_grad", {-1, 3});
      const ForceInputs in = inputs_from(context, 2, force_grad.dim_size(0), true);
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
      const PairsOfAtoms pairs = reverse_from(context, 2, gradient.dim_size(0));
      const Tensor& displacement = input(context, 1, "displacement", {pairs.num_pairs, 3});
      atom_virial(pairs, context_of(context), data<double>(displacement), data<double>(gradient),
                  output<double>(context, 0, {pairs.num_all, 9}));
    });
  }
};

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

REGISTER_KERNEL_BUILDER(Name("ForceVirial").Device(tensorflow::DEVICE_CPU), ForceVirial);
REGISTER_KERNEL_BUILDER(Name("ForceVirialGrad").Device(tensorflow::DEVICE_CPU), ForceVirialGrad);
REGISTER_KERNEL_BUILDER(Name("AtomVirial").Device(tensorflow::DEVICE_CPU), AtomVirial);

}  // namespace deeptf
