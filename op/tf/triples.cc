// The ops TripleProducts and TripleSums, and their CPU kernels.
#include "tf/triples.h"

namespace deeptf {
namespace {

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

DEEPTF_CPU_KERNEL("TripleProducts", products_of_triples);
DEEPTF_CPU_KERNEL("TripleSums", sums_of_triples);

}  // namespace deeptf
