// What the bindings of EmbeddingSum and its derivatives do on any device; see core/curve/sum.h.
//
// All ops take the ten inputs of SumInputs; then their own: `upper` [n, W, M] or `direction` [p, W]
// or both. T is the precision of table and sums.
#pragma once

#include "tf/curve_sum_inputs.h"

namespace deeptf {

template <class Device, class T>
void sum_of_curves(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<Device, T> in(context, sizes);
  const int64_t types = in.pairs.num_types;
  const OutsidePairs outside{output<int32_t>(context, 1, {types, types}),
                             output<int32_t>(context, 2, {types, types})};
  embedding_sum(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows, in.sums(), outside);
}

template <class Device, class T>
void sum_of_curves_grad(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<Device, T> in(context, sizes);
  double* rows_grad = output<double>(context, 0, {in.pairs.num_pairs, in.pairs.columns});
  embedding_sum_grad(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows, in.upper(kShared),
                     rows_grad);
}

template <class Device, class T>
void sum_of_curves_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<Device, T> in(context, sizes);
  embedding_sum_tangent(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows, in.direction(),
                        in.sums());
}

template <class Device, class T>
void grad_of_table(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<Device, T> in(context, sizes);
  embedding_table_grad(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows, in.upper(kShared),
                       in.nodes());
}

template <class Device, class T>
void grad_of_table_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<Device, T> in(context, sizes);
  embedding_tangent_table_grad(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows,
                               in.direction(), in.upper(kShared + 1), in.nodes());
}

}  // namespace deeptf
