// The op SortPairs and its CPU kernel.
#include "tf/pair_order.h"

#include <algorithm>

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

void sorted(OpKernelContext* context, const NumTypes& types) {
  const PairListInputs in(context, types);
  check_row_end(in.list, in.num_pairs);
  PairSorter sorter(in.list, context_of(context));
  const int64_t atoms = sorter.atom_order().size(), t = types.number;
  const auto copy = [](const Scratch<int32_t>& from, int32_t* to) {
    std::copy(from.begin(), from.end(), to);
  };
  copy(sorter.atom_order(), output<int32_t>(context, 0, {atoms}));
  copy(sorter.atom_count(), output<int32_t>(context, 1, {t}));
  copy(sorter.neighbor_count(), output<int32_t>(context, 2, {atoms, t}));
  copy(sorter.pair_count(), output<int32_t>(context, 3, {t, t}));
  copy(sorter.first_pair(), output<int32_t>(context, 7, {atoms, t}));
  copy(sorter.pair_row(), output<int32_t>(context, 8, {sorter.pair_row().size()}));
  sorter.fill(context_of(context), sorted_pairs(context, sorter.num_sorted()));
}

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

REGISTER_KERNEL_BUILDER(Name("SortPairs").Device(tensorflow::DEVICE_CPU), Kernel<NumTypes, sorted>);

}  // namespace deeptf
