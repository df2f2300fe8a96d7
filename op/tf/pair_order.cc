// Binding of SortPairs; see core/geometry/pair_order.h.
#include "core/geometry/pair_order.h"

#include <algorithm>

#include "tf/binding.h"

namespace deeptf {
namespace {

absl::Status shape_of_sorted(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, 3}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 4, {}));
  int64_t types;
  TF_RETURN_IF_ERROR(c->GetAttr("num_types", &types));
  const DimensionHandle atoms = c->UnknownDim(), pairs = c->UnknownDim();
  c->set_output(0, c->Vector(atoms));
  c->set_output(1, c->Vector(types));
  c->set_output(2, c->Matrix(atoms, c->MakeDim(types)));
  c->set_output(3, c->Matrix(types, types));
  c->set_output(4, c->Vector(pairs));
  c->set_output(5, c->Vector(pairs));
  c->set_output(6, c->Matrix(pairs, c->MakeDim(3)));
  DimensionHandle rows;
  TF_RETURN_IF_ERROR(c->Add(c->Dim(c->input(3), 0), 1, &rows));
  c->set_output(7, c->Matrix(atoms, c->MakeDim(types)));
  c->set_output(8, c->Vector(rows));
  c->set_output(9, c->Vector(pairs));
  return absl::OkStatus();
}

class SortPairs : public OpKernel {
 public:
  explicit SortPairs(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("num_types", &num_types_));
  }

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const Tensor& row = input(context, 0, "row", {-1});
      const Tensor& neighbor = input(context, 1, "neighbor", {-1});
      const Tensor& displacement = input(context, 2, "displacement", {neighbor.dim_size(0), 3});
      const Tensor& atom_type = input(context, 3, "atom_type", {-1});
      const int64_t centres = row.dim_size(0) - 1;
      if (centres < 0 || centres > atom_type.dim_size(0)) {
        throw Error("`row` must have 1 to " + std::to_string(atom_type.dim_size(0) + 1) +
                    " elements, one more than centres, got " + std::to_string(centres + 1));
      }
      const PairList list{centres,
                          *data<int32_t>(input(context, 4, "num_owned", {})),
                          atom_type.dim_size(0),
                          static_cast<int32_t>(num_types_),
                          data<int32_t>(row),
                          data<int32_t>(neighbor),
                          data<double>(displacement),
                          data<int32_t>(atom_type)};
      check_row_end(list, neighbor.dim_size(0));
      PairSorter sorter(list, context_of(context));
      write(context, sorter);
    });
  }

 private:
  void write(OpKernelContext* context, PairSorter& sorter) const {
    const int64_t atoms = sorter.atom_order().size();
    const int64_t pairs = sorter.num_sorted();
    const auto copy = [](const Scratch<int32_t>& from, int32_t* to) {
      std::copy(from.begin(), from.end(), to);
    };
    copy(sorter.atom_order(), output<int32_t>(context, 0, {atoms}));
    copy(sorter.atom_count(), output<int32_t>(context, 1, {num_types_}));
    copy(sorter.neighbor_count(), output<int32_t>(context, 2, {atoms, num_types_}));
    copy(sorter.pair_count(), output<int32_t>(context, 3, {num_types_, num_types_}));
    copy(sorter.first_pair(), output<int32_t>(context, 7, {atoms, num_types_}));
    copy(sorter.pair_row(), output<int32_t>(context, 8, {sorter.pair_row().size()}));
    sorter.fill(context_of(context),
                {output<int32_t>(context, 4, {pairs}), output<int32_t>(context, 5, {pairs}),
                 output<double>(context, 6, {pairs, 3}), output<int32_t>(context, 9, {pairs})});
  }

  int64_t num_types_ = 0;
};

}  // namespace

REGISTER_OP("SortPairs")
    .Attr("num_types: int >= 1")
    .Input("row: int32")
    .Input("neighbor: int32")
    .Input("displacement: double")
    .Input("atom_type: int32")
    .Input("num_owned: int32")
    .Output("atom_order: int32")
    .Output("atom_count: int32")
    .Output("neighbor_count: int32")
    .Output("pair_count: int32")
    .Output("centre: int32")
    .Output("sorted_neighbor: int32")
    .Output("sorted_displacement: double")
    .Output("first_pair: int32")
    .Output("pair_row: int32")
    .Output("pair_of: int32")
    .SetShapeFn(shape_of_sorted);

REGISTER_KERNEL_BUILDER(Name("SortPairs").Device(tensorflow::DEVICE_CPU), SortPairs);

}  // namespace deeptf
