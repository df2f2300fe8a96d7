// Bindings of EmbeddingSum and its derivatives; see core/curve/sum.h.
//
// All ops take the ten inputs of Inputs; then their own: `upper` [n, W, M] or `direction` [p, W] or
// both. T is the precision of table and sums.
#include <algorithm>

#include "core/curve/sum.h"
#include "tf/curve_inputs.h"

namespace deeptf {
namespace {

constexpr int kShared = 10;

struct Sizes : SegmentSizes {
  explicit Sizes(OpKernelConstruction* context) : SegmentSizes(context) {
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
    OP_REQUIRES(context, width > 0, absl::InvalidArgumentError("`width` must be positive"));
  }
  int64_t width = 0;
};

template <class T>
struct Inputs {
  Inputs(OpKernelContext* context, const Sizes& sizes)
      : context(context),
        width(sizes.width),
        kernel(context_of(context)),
        pairs(pairs_from(context, 4)),
        rows(data<double>(context->input(0))) {
    const CurveSegments segments = segments_from(context, 2, sizes);
    check_curves(pairs, segments);
    const Tensor& nodes = input(context, 1, "nodes", {-1, kTableRows<T>, padded_width<T>(width)});
    const Tensor& needed_row =
        input(context, kShared - 1, "needed_row", {segments.num_nodes() + 1});
    const int64_t groups = nodes.dim_size(0), num_needed = groups + 2 - table_groups<T>(2);
    if (num_needed < 2) throw Error("`nodes` must be two or more");
    table = {segments, width, num_needed, data<int32_t>(needed_row), data<T>(nodes)};
    check_needed(table.needed_row, segments.num_nodes(), table.num_needed);
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
  Context kernel;
  CurvePairs pairs;
  CurveTable<T> table;
  const double* rows;
};

template <class T>
void sum(OpKernelContext* context, const Sizes& sizes) {
  const Inputs<T> in(context, sizes);
  const int64_t types = in.pairs.num_types;
  const OutsidePairs outside{output<int32_t>(context, 1, {types, types}),
                             output<int32_t>(context, 2, {types, types})};
  embedding_sum(in.pairs, in.table, in.kernel, in.rows, in.sums(), outside);
}

template <class T>
void sum_grad(OpKernelContext* context, const Sizes& sizes) {
  const Inputs<T> in(context, sizes);
  double* rows_grad = output<double>(context, 0, {in.pairs.num_pairs, in.pairs.columns});
  embedding_sum_grad(in.pairs, in.table, in.kernel, in.rows, in.upper(kShared), rows_grad);
}

template <class T>
void sum_tangent(OpKernelContext* context, const Sizes& sizes) {
  const Inputs<T> in(context, sizes);
  embedding_sum_tangent(in.pairs, in.table, in.kernel, in.rows, in.direction(), in.sums());
}

template <class T>
void table_grad(OpKernelContext* context, const Sizes& sizes) {
  const Inputs<T> in(context, sizes);
  embedding_table_grad(in.pairs, in.table, in.kernel, in.rows, in.upper(kShared), in.nodes());
}

template <class T>
void tangent_table_grad(OpKernelContext* context, const Sizes& sizes) {
  const Inputs<T> in(context, sizes);
  embedding_tangent_table_grad(in.pairs, in.table, in.kernel, in.rows, in.direction(),
                               in.upper(kShared + 1), in.nodes());
}

absl::Status expect_shared(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1, -1}));
  TF_RETURN_IF_ERROR(expect_segments(c, 2));
  TF_RETURN_IF_ERROR(expect_pairs(c, 4));
  return expect(c, kShared - 1, {-1});
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  ShapeHandle rows;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &rows));
  if (c->num_inputs() > kShared) TF_RETURN_IF_ERROR(c->Merge(rows, c->input(kShared), &rows));
  int64_t width;
  TF_RETURN_IF_ERROR(c->GetAttr("width", &width));
  c->set_output(0, c->MakeShape({c->Dim(c->input(8), 0), c->Dim(rows, 1), c->MakeDim(width)}));
  if (c->num_outputs() > 1) {  // the sums themselves, with what lies outside the range of the data
    for (const int index : {1, 2}) c->set_output(index, c->input(4));
  }
  return absl::OkStatus();
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

#define DEEPTF_SHARED(NAME)           \
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
DEEPTF_SHARED("EmbeddingSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_SHARED("EmbeddingSumGrad")
    .Input("upper: T")
    .Output("rows_grad: double")
    .SetShapeFn(shape_of_rows);
DEEPTF_SHARED("EmbeddingSumTangent")
    .Input("direction: double")
    .Output("tangent: T")
    .SetShapeFn(shape_of_sums);
DEEPTF_SHARED("EmbeddingTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_SHARED("EmbeddingTangentTableGrad")
    .Input("direction: double")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
#undef DEEPTF_SHARED

DEEPTF_KERNELS("EmbeddingSum", Sizes, sum);
DEEPTF_KERNELS("EmbeddingSumGrad", Sizes, sum_grad);
DEEPTF_KERNELS("EmbeddingSumTangent", Sizes, sum_tangent);
DEEPTF_KERNELS("EmbeddingTableGrad", Sizes, table_grad);
DEEPTF_KERNELS("EmbeddingTangentTableGrad", Sizes, tangent_table_grad);

}  // namespace deeptf
