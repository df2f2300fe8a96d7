// What the ops of sums over tabulated curves share: their first ten inputs, and shapes.
#pragma once

#include "core/curve/sum.h"
#include "tf/curve_inputs.h"

namespace deeptf {

constexpr int kShared = 10;

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
    const Tensor& needed_row = input(context, kShared - 1, "needed_row", {-1});
    const Tensor& nodes = input(context, 1, "nodes", {-1, kTableRows<T>, padded_width<T>(width)});
    const int64_t groups = nodes.dim_size(0), num_needed = groups + 2 - table_groups<T>(2);
    if (num_needed < 2) throw Error("`nodes` must be two or more");
    table = {segments, width, num_needed, data<int32_t>(needed_row), data<T>(nodes)};
    if constexpr (Device::kOnHost) {
      check_curves(pairs, segments);
      input(context, kShared - 1, "needed_row", {segments.num_nodes() + 1});
      check_needed(table.needed_row, segments.num_nodes(), table.num_needed);
    }
  }

  const T* upper(int index) const {
    return data<T>(input(context, index, "upper", {pairs.num_atoms, pairs.columns, width}));
  }
  const double* direction() const {
    return data<double>(input(context, kShared, "direction", {pairs.num_pairs, pairs.columns}));
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

inline absl::Status expect_shared(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1, -1}));
  TF_RETURN_IF_ERROR(expect_segments(c, 2));
  TF_RETURN_IF_ERROR(expect_pairs(c, 4));
  return expect(c, kShared - 1, {-1});
}

// The shape of sums or tangents, the first output; two more are by block of pairs.
inline absl::Status set_sums(InferenceContext* c) {
  int64_t width;
  TF_RETURN_IF_ERROR(c->GetAttr("width", &width));
  c->set_output(0,
                c->MakeShape({c->Dim(c->input(8), 0), c->Dim(c->input(0), 1), c->MakeDim(width)}));
  for (int index = 1; index < c->num_outputs(); ++index) c->set_output(index, c->input(4));
  return absl::OkStatus();
}

}  // namespace deeptf

#define DEEPTF_SUM_OP(NAME)           \
  REGISTER_OP(NAME)                   \
      .Attr("T: {float, double}")     \
      .Attr("width: int")             \
      .Attr("segments: int = 1")      \
      .Attr("near: int = 0")          \
      .Input("rows: double")          \
      .Input("nodes: T")              \
      .Input("node_row: int32")       \
      .Input("grid: double")          \
      .Input("curve: int32")          \
      .Input("sel: double")           \
      .Input("empty: double")         \
      .Input("atom_count: int32")     \
      .Input("neighbor_count: int32") \
      .Input("needed_row: int32")
