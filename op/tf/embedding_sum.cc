// Bindings of EmbeddingSum and its derivatives; see core/embedding_sum.h.
//
// All ops take the same nine inputs: rows [p, 4], nodes [nodes, 2, padded M], node_row [C + 1],
// grid [C, 2], curve [T, T], sel [T], empty [T], atom_count [T], neighbor_count [n, T]; then their
// own: `upper` [n, 4, M] or `direction` [p, 4] or both.
#include "core/embedding_sum.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

constexpr int kShared = 9;

template <class T>
struct Inputs {
  explicit Inputs(OpKernelContext* context, int64_t width)
      : node_row(input(context, 2, "node_row", {-1})),
        neighbor_count(input(context, 8, "neighbor_count", {-1, -1})) {
    const int64_t types = neighbor_count.dim_size(1), curves = node_row.dim_size(0) - 1;
    const Tensor& rows_in = input(context, 0, "rows", {-1, kRowColumns});
    const Tensor& nodes = input(context, 1, "nodes", {-1, 2, padded_width<T>(width)});
    const Tensor& grid = input(context, 3, "grid", {curves, 2});
    pairs = {neighbor_count.dim_size(0),
             rows_in.dim_size(0),
             types,
             data<int32_t>(input(context, 7, "atom_count", {types})),
             data<int32_t>(neighbor_count),
             data<int32_t>(input(context, 4, "curve", {types, types})),
             data<double>(input(context, 5, "sel", {types})),
             data<double>(input(context, 6, "empty", {types}))};
    table = {curves, width, data<int32_t>(node_row), data<double>(grid), data<T>(nodes)};
    rows = data<T>(rows_in);
    num_nodes = nodes.dim_size(0);
    check_curves(pairs, curves, table.node_row, table.grid, num_nodes);
  }

  const Tensor &node_row, &neighbor_count;
  CurvePairs pairs;
  CurveTable<T> table;
  const T* rows;
  int64_t num_nodes;
};

template <class T>
class EmbeddingKernel : public OpKernel {
 public:
  explicit EmbeddingKernel(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES(context, width_ > 0, absl::InvalidArgumentError("`width` must be positive"));
  }

  void Compute(OpKernelContext* context) override {
    guard(context, [&] { run(context, Inputs<T>(context, width_)); });
  }

 protected:
  virtual void run(OpKernelContext* context, const Inputs<T>& in) = 0;

  const T* upper(OpKernelContext* context, int index, const Inputs<T>& in) const {
    return data<T>(input(context, index, "upper", {in.pairs.num_atoms, kRowColumns, width_}));
  }
  const T* direction(OpKernelContext* context, int index, const Inputs<T>& in) const {
    return data<T>(input(context, index, "direction", {in.pairs.num_pairs, kRowColumns}));
  }
  T* sums(OpKernelContext* context, const Inputs<T>& in) const {
    return output<T>(context, 0, {in.pairs.num_atoms, kRowColumns, width_});
  }
  T* nodes(OpKernelContext* context, const Inputs<T>& in) const {
    return output<T>(context, 0, {in.num_nodes, 2, padded_width<T>(width_)});
  }

  int64_t width_ = 0;
};

template <class T>
class EmbeddingSum : public EmbeddingKernel<T> {
  using EmbeddingKernel<T>::EmbeddingKernel;

  void run(OpKernelContext* context, const Inputs<T>& in) override {
    embedding_sum(in.pairs, in.table, threads_of(context), in.rows, this->sums(context, in));
  }
};

template <class T>
class EmbeddingSumGrad : public EmbeddingKernel<T> {
  using EmbeddingKernel<T>::EmbeddingKernel;

  void run(OpKernelContext* context, const Inputs<T>& in) override {
    T* rows_grad = output<T>(context, 0, {in.pairs.num_pairs, kRowColumns});
    embedding_sum_grad(in.pairs, in.table, threads_of(context), in.rows,
                       this->upper(context, kShared, in), rows_grad);
  }
};

template <class T>
class EmbeddingSumTangent : public EmbeddingKernel<T> {
  using EmbeddingKernel<T>::EmbeddingKernel;

  void run(OpKernelContext* context, const Inputs<T>& in) override {
    embedding_sum_tangent(in.pairs, in.table, threads_of(context), in.rows,
                          this->direction(context, kShared, in), this->sums(context, in));
  }
};

template <class T>
class EmbeddingTableGrad : public EmbeddingKernel<T> {
  using EmbeddingKernel<T>::EmbeddingKernel;

  void run(OpKernelContext* context, const Inputs<T>& in) override {
    embedding_table_grad(in.pairs, in.table, threads_of(context), in.rows,
                         this->upper(context, kShared, in), this->nodes(context, in));
  }
};

template <class T>
class EmbeddingTangentTableGrad : public EmbeddingKernel<T> {
  using EmbeddingKernel<T>::EmbeddingKernel;

  void run(OpKernelContext* context, const Inputs<T>& in) override {
    embedding_tangent_table_grad(in.pairs, in.table, threads_of(context), in.rows,
                                 this->direction(context, kShared, in),
                                 this->upper(context, kShared + 1, in), this->nodes(context, in));
  }
};

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
      .Input("rows: T")           \
      .Input("nodes: T")          \
      .Input("node_row: int32")   \
      .Input("grid: double")      \
      .Input("curve: int32")      \
      .Input("sel: double")       \
      .Input("empty: double")     \
      .Input("atom_count: int32") \
      .Input("neighbor_count: int32")
DEEPTF_SHARED("EmbeddingSum").Output("sum: T").SetShapeFn(shape_of_sums);
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

#define DEEPTF_REGISTER(NAME)                                                                     \
  REGISTER_KERNEL_BUILDER(Name(#NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"),  \
                          NAME<float>);                                                           \
  REGISTER_KERNEL_BUILDER(Name(#NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<double>("T"), \
                          NAME<double>)
DEEPTF_REGISTER(EmbeddingSum);
DEEPTF_REGISTER(EmbeddingSumGrad);
DEEPTF_REGISTER(EmbeddingSumTangent);
DEEPTF_REGISTER(EmbeddingTableGrad);
DEEPTF_REGISTER(EmbeddingTangentTableGrad);
#undef DEEPTF_REGISTER

}  // namespace deeptf
