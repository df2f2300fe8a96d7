// Binding of NeighborPairs; see core/geometry/neighbors.h.
#include "core/geometry/neighbors.h"

#include "tf/binding.h"

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
      const Tensor& coord = input(context, 0, "coord", {-1, 3});
      const int64_t atoms = coord.dim_size(0);
      const Tensor& cell = input(context, 1, "cell", {-1, 3, 3});
      const Frames frames{
          cell.dim_size(0),
          data<int32_t>(input(context, 3, "frame_row", {cell.dim_size(0) + 1})),
          data<double>(coord),
          data<double>(cell),
          data<int32_t>(input(context, 2, "atom_type", {atoms})),
      };
      const double rcut = *data<double>(input(context, 4, "rcut", {}));
      check_frame_row(frames, atoms);
      const NeighborSearch search(frames, rcut);
      int32_t* row = output<int32_t>(context, 0, {atoms + 1});
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
