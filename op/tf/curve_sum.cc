// Bindings of EmbeddingSum and its derivatives; see core/curve/sum.h.
//
// All ops take the ten inputs of SumInputs; then their own: `upper` [n, W, M] or `direction` [p, W]
// or both. T is the precision of table and sums.
#include "core/curve/sum.h"
#include "tf/curve_sum_inputs.h"

namespace deeptf {
namespace {

template <class T>
void sum(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<T> in(context, sizes);
  const int64_t types = in.pairs.num_types;
  const OutsidePairs outside{output<int32_t>(context, 1, {types, types}),
                             output<int32_t>(context, 2, {types, types})};
  embedding_sum(in.pairs, in.table, in.kernel, in.rows, in.sums(), outside);
}

template <class T>
void sum_grad(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<T> in(context, sizes);
  double* rows_grad = output<double>(context, 0, {in.pairs.num_pairs, in.pairs.columns});
  embedding_sum_grad(in.pairs, in.table, in.kernel, in.rows, in.upper(kShared), rows_grad);
}

template <class T>
void sum_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<T> in(context, sizes);
  embedding_sum_tangent(in.pairs, in.table, in.kernel, in.rows, in.direction(), in.sums());
}

template <class T>
void table_grad(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<T> in(context, sizes);
  embedding_table_grad(in.pairs, in.table, in.kernel, in.rows, in.upper(kShared), in.nodes());
}

template <class T>
void tangent_table_grad(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<T> in(context, sizes);
  embedding_tangent_table_grad(in.pairs, in.table, in.kernel, in.rows, in.direction(),
                               in.upper(kShared + 1), in.nodes());
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  ShapeHandle rows = c->input(0);
  if (c->num_inputs() > kShared) TF_RETURN_IF_ERROR(c->Merge(rows, c->input(kShared), &rows));
  return set_sums(c);
}

absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, kShared, {-1, -1, -1}));
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, c->num_inputs() - 1, {-1, -1, -1}));
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

}  // namespace

DEEPTF_SUM_OP("EmbeddingSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_SUM_OP("EmbeddingSumGrad")
    .Input("upper: T")
    .Output("rows_grad: double")
    .SetShapeFn(shape_of_rows);
DEEPTF_SUM_OP("EmbeddingSumTangent")
    .Input("direction: double")
    .Output("tangent: T")
    .SetShapeFn(shape_of_sums);
DEEPTF_SUM_OP("EmbeddingTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_SUM_OP("EmbeddingTangentTableGrad")
    .Input("direction: double")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);

DEEPTF_KERNELS("EmbeddingSum", SumSizes, sum);
DEEPTF_KERNELS("EmbeddingSumGrad", SumSizes, sum_grad);
DEEPTF_KERNELS("EmbeddingSumTangent", SumSizes, sum_tangent);
DEEPTF_KERNELS("EmbeddingTableGrad", SumSizes, table_grad);
DEEPTF_KERNELS("EmbeddingTangentTableGrad", SumSizes, tangent_table_grad);

}  // namespace deeptf
