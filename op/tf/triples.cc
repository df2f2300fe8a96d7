// Bindings of TripleProducts and TripleSums; see core/geometry/triples.h.
#include "core/geometry/triples.h"

#include "core/base/scratch.h"
#include "tf/binding.h"

namespace deeptf {
namespace {

// From the input `rows`, b [p, 4], and the last one, neighbor_count [n, T].
NeighborRuns runs_from(OpKernelContext* context, int rows) {
  const Tensor& neighbor_count = input(context, 2, "neighbor_count", {-1, -1});
  return {neighbor_count.dim_size(0), input(context, rows, "b", {-1, 4}).dim_size(0),
          neighbor_count.dim_size(1), data<int32_t>(neighbor_count)};
}

template <class Device>
void products(OpKernelContext* context, const NoAttributes&) {
  const NeighborRuns runs = runs_from(context, 1);
  const Tensor& a = input(context, 0, "a", {runs.num_pairs, 4});
  int32_t* count = output<int32_t>(context, 1, {runs.num_atoms, runs.num_blocks()});
  double* products = output<double>(context, 0, {count_triples(runs, count)});
  triple_products(runs, Device::of(context), data<double>(a), data<double>(context->input(1)),
                  products);
}

template <class Device>
void sums(OpKernelContext* context, const NoAttributes&) {
  const NeighborRuns runs = runs_from(context, 0);
  Scratch<int32_t> count(runs.num_atoms * runs.num_blocks());
  const int64_t triples = count_triples(runs, count.data());
  const Tensor& upper = input(context, 1, "upper", {triples});
  double* sums = output<double>(context, 0, {runs.num_pairs, 4});
  triple_sums(runs, Device::of(context), data<double>(context->input(0)), data<double>(upper),
              sums);
}

absl::Status shape_of_products(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 4}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 4}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1}));
  const DimensionHandle types = c->Dim(c->input(2), 1);
  const bool known = c->ValueKnown(types);
  const int64_t number = known ? c->Value(types) : 0;
  c->set_output(0, c->MakeShape({c->UnknownDim()}));
  c->set_output(1, c->MakeShape({c->Dim(c->input(2), 0),
                                 known ? c->MakeDim(number * (number + 3) / 2) : c->UnknownDim()}));
  return absl::OkStatus();
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 4}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, -1}));
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("TripleProducts")
    .Input("a: double")
    .Input("b: double")
    .Input("neighbor_count: int32")
    .Output("products: double")
    .Output("triple_count: int32")
    .SetShapeFn(shape_of_products);
REGISTER_OP("TripleSums")
    .Input("b: double")
    .Input("upper: double")
    .Input("neighbor_count: int32")
    .Output("sums: double")
    .SetShapeFn(shape_of_sums);

DEEPTF_CPU_KERNEL("TripleProducts", products);
DEEPTF_CPU_KERNEL("TripleSums", sums);

}  // namespace deeptf
