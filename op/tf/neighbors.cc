// The op NeighborPairs and its CPU kernel.
#include "tf/neighbors.h"

namespace deeptf {
namespace {

absl::Status shape_of_pairs(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 3, 3}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 4, {}));
  DimensionHandle atoms, rows;
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(c->input(0), 0), c->Dim(c->input(2), 0), &atoms));
  TF_RETURN_IF_ERROR(c->Add(atoms, 1, &rows));
  const DimensionHandle pairs = c->UnknownDim();
  c->set_output(0, c->Vector(rows));
  c->set_output(1, c->Vector(pairs));
  c->set_output(2, c->Matrix(pairs, c->MakeDim(3)));
  return absl::OkStatus();
}

class NeighborPairs : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const NeighborInputs in(context);
      check_frame_row(in.frames, in.atoms);
      const NeighborSearch search(in.frames, in.rcut);
      int32_t* row = output<int32_t>(context, 0, {in.atoms + 1});
      const int64_t pairs = search.count(context_of(context), row);
      int32_t* neighbor = output<int32_t>(context, 1, {pairs});
      double* displacement = output<double>(context, 2, {pairs, 3});
      search.fill(context_of(context), row, neighbor, displacement);
    });
  }
};

}  // namespace

REGISTER_OP("NeighborPairs")
    .Input("coord: double")
    .Input("cell: double")
    .Input("atom_type: int32")
    .Input("frame_row: int32")
    .Input("rcut: double")
    .Output("row: int32")
    .Output("neighbor: int32")
    .Output("displacement: double")
    .SetShapeFn(shape_of_pairs);

REGISTER_KERNEL_BUILDER(Name("NeighborPairs").Device(tensorflow::DEVICE_CPU), NeighborPairs);

}  // namespace deeptf
