// What the bindings of GatedSum and its derivatives do on any device; see core/curve/gated_sum.h.
//
// All ops take the ten inputs of EmbeddingSum, then gate [T, T, M] and share [p], or [0] where each
// is 1; then their own: `direction` [p, 4] with `share_direction` like share, `upper` [n, 4, M], or
// both.
#pragma once

#include "core/curve/gated_sum.h"
#include "tf/curve_sum_inputs.h"

namespace deeptf {

constexpr int kGated = kShared + 2;

template <class Device, class T>
struct GatedInputs : SumInputs<Device, T> {
  GatedInputs(OpKernelContext* context, const SumSizes& sizes)
      : SumInputs<Device, T>(context, sizes) {
    check_gated(this->pairs);
    const int64_t types = this->pairs.num_types;
    gates.gate = data<T>(input(context, kShared, "gate", {types, types, this->width}));
    shares = input(context, kShared + 1, "share", {-1}).dim_size(0);
    if (shares > 0) gates.share = shares_from(kShared + 1, "share");
  }

  const double* shares_from(int index, const char* name) const {
    return data<double>(input(this->context, index, name, {this->pairs.num_pairs}));
  }
  GatedDirection direction() const {
    const int64_t columns = this->pairs.columns;
    const Tensor& rows =
        input(this->context, kGated, "direction", {this->pairs.num_pairs, columns});
    return {data<double>(rows), shares > 0 ? shares_from(kGated + 1, "share_direction") : nullptr};
  }
  T* gate() const {
    const int64_t types = this->pairs.num_types;
    return output<T>(this->context, 0, {types, types, this->width});
  }

  Gates<T> gates{nullptr, nullptr};
  int64_t shares = 0;
};

template <class Device, class T>
void sum_with_gates(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  const int64_t types = in.pairs.num_types;
  const OutsidePairs outside{output<int32_t>(context, 1, {types, types}),
                             output<int32_t>(context, 2, {types, types})};
  gated_sum(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows, in.sums(),
            outside);
}

template <class Device, class T>
void sum_with_gates_grad(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  double* rows_grad = output<double>(context, 0, {in.pairs.num_pairs, in.pairs.columns});
  double* share_grad = output<double>(context, 1, {in.shares});
  gated_sum_grad(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows,
                 in.upper(kGated), rows_grad, share_grad);
}

template <class Device, class T>
void sum_with_gates_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  gated_sum_tangent(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows,
                    in.direction(), in.sums());
}

template <class Device, class T>
void grad_of_gated_table(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  gated_table_grad(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows,
                   in.upper(kGated), in.nodes());
}

template <class Device, class T>
void grad_of_gated_table_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  gated_tangent_table_grad(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows,
                           in.direction(), in.upper(kGated + 2), in.nodes());
}

template <class Device, class T>
void grad_of_gate(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  gate_grad(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows, in.upper(kGated),
            in.gate());
}

template <class Device, class T>
void grad_of_gate_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<Device, T> in(context, sizes);
  gate_tangent_grad(placed(in.pairs, in.kernel), in.table, in.gates, in.kernel, in.rows,
                    in.direction(), in.upper(kGated + 2), in.gate());
}

}  // namespace deeptf
