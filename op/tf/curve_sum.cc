// Bindings of EmbeddingSum and its derivatives; see core/curve/sum.h.
//
// All ops take the same nine inputs: rows [p, 4], nodes [nodes, 2, padded M], node_row [C S + 1],
// grid [C S, 2], curve [T, T], sel [T], empty [T], atom_count [T], neighbor_count [n, T]; then
// their own: `upper` [n, 4, M] or `direction` [p, 4] or both.
#include <algorithm>

#include "core/curve/sum.h"
#include "tf/binding.h"

namespace deeptf {
namespace {

constexpr int kShared = 9;

struct Sizes {
  explicit Sizes(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
    OP_REQUIRES_OK(context, context->GetAttr("segments", &segments));
    OP_REQUIRES_OK(context, context->GetAttr("near", &near));
    OP_REQUIRES(context, width > 0 && segments > 0,
                absl::InvalidArgumentError("`width` and `segments` must be positive"));
  }
  int64_t width = 0, segments = 0, near = 0;
};

template <class T>
struct Inputs {
  Inputs(OpKernelContext* context, const Sizes& sizes)
      : context(context), width(sizes.width), kernel(context_of(context)) {
    const int64_t ends = input(context, 2, "node_row", {-1}).dim_size(0);
    const int64_t curves = std::max<int64_t>(0, ends - 1) / sizes.segments;
    const Tensor& node_row = input(context, 2, "node_row", {curves * sizes.segments + 1});
    const Tensor& neighbor_count = input(context, 8, "neighbor_count", {-1, -1});
    const int64_t types = neighbor_count.dim_size(1);
    const Tensor& rows_in = input(context, 0, "rows", {-1, kRowColumns});
    const Tensor& nodes = input(context, 1, "nodes", {-1, 2, padded_width<T>(width)});
    const Tensor& grid = input(context, 3, "grid", {curves * sizes.segments, 2});
    pairs = {neighbor_count.dim_size(0),
             rows_in.dim_size(0),
             types,
             data<int32_t>(input(context, 7, "atom_count", {types})),
             data<int32_t>(neighbor_count),
             data<int32_t>(input(context, 4, "curve", {types, types})),
             data<double>(input(context, 5, "sel", {types})),
             data<double>(input(context, 6, "empty", {types}))};
    table = {curves,        sizes.segments,          sizes.near,
             width,         data<int32_t>(node_row), data<double>(grid),
             data<T>(nodes)};
    rows = data<T>(rows_in);
    num_nodes = nodes.dim_size(0);
    check_curves(pairs, table, num_nodes);
  }

  const T* upper(int index) const {
    return data<T>(input(context, index, "upper", {pairs.num_atoms, kRowColumns, width}));
  }
  const T* direction() const {
    return data<T>(input(context, kShared, "direction", {pairs.num_pairs, kRowColumns}));
  }
  T* sums() const { return output<T>(context, 0, {pairs.num_atoms, kRowColumns, width}); }
  T* nodes() const { return output<T>(context, 0, {num_nodes, 2, padded_width<T>(width)}); }

  OpKernelContext* context;
  int64_t width;
  Context kernel;
  CurvePairs pairs;
  CurveTable<T> table;
  const T* rows;
  int64_t num_nodes;
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
  T* rows_grad = output<T>(context, 0, {in.pairs.num_pairs, kRowColumns});
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
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, kRowColumns}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 2, -1}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1, 2}));
  TF_RETURN_IF_ERROR(expect(c, 4, {-1, -1}));
  for (const int index : {5, 6, 7}) TF_RETURN_IF_ERROR(expect(c, index, {-1}));
  return expect(c, 8, {-1, -1});
}

absl::Status shape_of_sums(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  if (c->num_inputs() > kShared) TF_RETURN_IF_ERROR(expect(c, kShared, {-1, kRowColumns}));
  int64_t width;
  TF_RETURN_IF_ERROR(c->GetAttr("width", &width));
  c->set_output(0,
                c->MakeShape({c->Dim(c->input(8), 0), c->MakeDim(kRowColumns), c->MakeDim(width)}));
  if (c->num_outputs() > 1) {  // the sums themselves, with what lies outside the range of the data
    for (const int index : {1, 2}) c->set_output(index, c->input(4));
  }
  return absl::OkStatus();
}

absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, kShared, {-1, kRowColumns, -1}));
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_shared(c));
  TF_RETURN_IF_ERROR(expect(c, c->num_inputs() - 1, {-1, kRowColumns, -1}));
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

}  // namespace

#define DEEPTF_SHARED(NAME)       \
  REGISTER_OP(NAME)               \
      .Attr("T: {float, double}") \
      .Attr("width: int")         \
      .Attr("segments: int = 1")  \
      .Attr("near: int = 0")      \
      .Input("rows: T")           \
      .Input("nodes: T")          \
      .Input("node_row: int32")   \
      .Input("grid: double")      \
      .Input("curve: int32")      \
      .Input("sel: double")       \
      .Input("empty: double")     \
      .Input("atom_count: int32") \
      .Input("neighbor_count: int32")
DEEPTF_SHARED("EmbeddingSum")
    .Output("sum: T")
    .Output("outside: int32")
    .Output("closest: int32")
    .SetShapeFn(shape_of_sums);
DEEPTF_SHARED("EmbeddingSumGrad")
    .Input("upper: T")
    .Output("rows_grad: T")
    .SetShapeFn(shape_of_rows);
DEEPTF_SHARED("EmbeddingSumTangent")
    .Input("direction: T")
    .Output("tangent: T")
    .SetShapeFn(shape_of_sums);
DEEPTF_SHARED("EmbeddingTableGrad")
    .Input("upper: T")
    .Output("nodes_grad: T")
    .SetShapeFn(shape_of_nodes);
DEEPTF_SHARED("EmbeddingTangentTableGrad")
    .Input("direction: T")
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
