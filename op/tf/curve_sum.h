// What the bindings of EmbeddingSum and its derivatives do on any device; see core/curve/sum.h.
//
// All ops take the ten inputs of SumInputs; then their own: `upper` [n, W, M] or `direction` [p, W]
// or both. T is the precision of table and sums.
#pragma once

#include "core/curve/sum.h"
#include "tf/curve_inputs.h"

namespace deeptf {

constexpr int kSharedInputs = 10;

struct SumSizes : SegmentSizes {
  explicit SumSizes(OpKernelConstruction* context) : SegmentSizes(context) {
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
    OP_REQUIRES(context, width > 0, absl::InvalidArgumentError("`width` must be positive"));
  }
  int64_t width = 0;
};

template <class Device, class T>
struct SumInputs {
  SumInputs(OpKernelContext* context, const SumSizes& sizes)
      : context(context),
        width(sizes.width),
        kernel(Device::of(context)),
        pairs(pairs_from(context, 4)),
        rows(data<double>(context->input(0))) {
    const CurveSegments segments = segments_from(context, 2, sizes);
    const Tensor& needed_row = input(context, kSharedInputs - 1, "needed_row", {-1});
    const Tensor& nodes = input(context, 1, "nodes", {-1, kTableRows<T>, padded_width<T>(width)});
    const int64_t groups = nodes.dim_size(0), num_needed = groups + 2 - table_groups<T>(2);
    if (num_needed < 2) throw Error("`nodes` must be two or more");
    table = {segments, width, num_needed, data<int32_t>(needed_row), data<T>(nodes)};
    if constexpr (Device::kOnHost) {
      check_curves(pairs, segments);
      input(context, kSharedInputs - 1, "needed_row", {segments.num_nodes() + 1});
      check_needed(table.needed_row, segments.num_nodes(), table.num_needed);
    }
  }

  const T* upper(int index) const {
    return data<T>(input(context, index, "upper", {pairs.num_atoms, pairs.columns, width}));
  }
  const double* direction() const {
    return data<double>(
        input(context, kSharedInputs, "direction", {pairs.num_pairs, pairs.columns}));
  }
  T* sums() const { return output<T>(context, 0, {pairs.num_atoms, pairs.columns, width}); }
  T* nodes() const {
    const int64_t groups = table_groups<T>(table.num_needed);
    return output<T>(context, 0, {groups, kTableRows<T>, padded_width<T>(width)});
  }

  OpKernelContext* context;
  int64_t width;
  decltype(Device::of(nullptr)) kernel;
  CurvePairs pairs;
  CurveTable<T> table;
  const double* rows;
};

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
  embedding_sum_grad(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows,
                     in.upper(kSharedInputs), rows_grad);
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
  embedding_table_grad(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows,
                       in.upper(kSharedInputs), in.nodes());
}

template <class Device, class T>
void grad_of_table_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const SumInputs<Device, T> in(context, sizes);
  embedding_tangent_table_grad(placed(in.pairs, in.kernel), in.table, in.kernel, in.rows,
                               in.direction(), in.upper(kSharedInputs + 1), in.nodes());
}

}  // namespace deeptf
