// Bindings of GatedSum and its derivatives; see core/curve/gated_sum.h.
//
// All ops take the ten inputs of EmbeddingSum, then gate [T, T, M] and share [p], or [0] where each
// is 1; then their own: `direction` [p, 4] with `share_direction` like share, `upper` [n, 4, M], or
// both.
#include "core/curve/gated_sum.h"

#include "tf/curve_sum_inputs.h"

namespace deeptf {
namespace {

constexpr int kGated = kShared + 2;

template <class T>
struct GatedInputs : SumInputs<Cpu, T> {
  GatedInputs(OpKernelContext* context, const SumSizes& sizes) : SumInputs<Cpu, T>(context, sizes) {
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

template <class T>
void sum(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  const int64_t types = in.pairs.num_types;
  const OutsidePairs outside{output<int32_t>(context, 1, {types, types}),
                             output<int32_t>(context, 2, {types, types})};
  gated_sum(in.pairs, in.table, in.gates, in.kernel, in.rows, in.sums(), outside);
}

template <class T>
void sum_grad(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  double* rows_grad = output<double>(context, 0, {in.pairs.num_pairs, in.pairs.columns});
  double* share_grad = output<double>(context, 1, {in.shares});
  gated_sum_grad(in.pairs, in.table, in.gates, in.kernel, in.rows, in.upper(kGated), rows_grad,
                 share_grad);
}

template <class T>
void sum_tangent(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  gated_sum_tangent(in.pairs, in.table, in.gates, in.kernel, in.rows, in.direction(), in.sums());
}

template <class T>
void table_grad(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  gated_table_grad(in.pairs, in.table, in.gates, in.kernel, in.rows, in.upper(kGated), in.nodes());
}

template <class T>
void tangent_table_grad(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  gated_tangent_table_grad(in.pairs, in.table, in.gates, in.kernel, in.rows, in.direction(),
                           in.upper(kGated + 2), in.nodes());
}

template <class T>
void to_gate(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  gate_grad(in.pairs, in.table, in.gates, in.kernel, in.rows, in.upper(kGated), in.gate());
}

template <class T>
void tangent_to_gate(OpKernelContext* context, const SumSizes& sizes) {
  const GatedInputs<T> in(context, sizes);
  gate_tangent_grad(in.pairs, in.table, in.gates, in.kernel, in.rows, in.direction(),
                    in.upper(kGated + 2), in.gate());
}

absl::Status expect_gated(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, kShared, {-1, -1, -1}));
  return expect(c, kShared + 1, {-1});
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  return set_sums(c);
}

absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  c->set_output(0, c->input(0));
  c->set_output(1, c->input(kShared + 1));
  return absl::OkStatus();
}

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

absl::Status shape_of_gate(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_gated(c));
  c->set_output(0, c->input(kShared));
  return absl::OkStatus();
}

}  // namespace

#define DEEPTF_GATED(NAME) DEEPTF_SUM_OP(NAME).Input("gate: T").Input("share: double")
#define DEEPTF_ALONG(NAME) \
  DEEPTF_GATED(NAME).Input("direction: double").Input("share_direction: double")
DEEPTF_GATED("GatedSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_GATED("GatedSumGrad")
    .Input("upper: T")
    .Output("rows_grad: double")
    .Output("share_grad: double")
    .SetShapeFn(shape_of_rows);
DEEPTF_ALONG("GatedSumTangent").Output("tangent: T").SetShapeFn(shape_of_sums);
DEEPTF_GATED("GatedTableGrad").Input("upper: T").Output("nodes_grad: T").SetShapeFn(shape_of_nodes);
DEEPTF_ALONG("GatedTangentTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_GATED("GateGrad").Input("upper: T").Output("gate_grad: T").SetShapeFn(shape_of_gate);
DEEPTF_ALONG("GateTangentGrad").Input("upper: T").Output("gate_grad: T").SetShapeFn(shape_of_gate);
#undef DEEPTF_GATED
#undef DEEPTF_ALONG

DEEPTF_KERNELS("GatedSum", SumSizes, sum);
DEEPTF_KERNELS("GatedSumGrad", SumSizes, sum_grad);
DEEPTF_KERNELS("GatedSumTangent", SumSizes, sum_tangent);
DEEPTF_KERNELS("GatedTableGrad", SumSizes, table_grad);
DEEPTF_KERNELS("GatedTangentTableGrad", SumSizes, tangent_table_grad);
DEEPTF_KERNELS("GateGrad", SumSizes, to_gate);
DEEPTF_KERNELS("GateTangentGrad", SumSizes, tangent_to_gate);

}  // namespace deeptf
