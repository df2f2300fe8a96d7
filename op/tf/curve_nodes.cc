// Bindings of EmbeddingNodes and EmbeddingNodesGrad; see core/curve/nodes.h.
//
// `weights` lists, for each curve and each of its layers, matrix [n_in, width], bias [width] and,
// with resnet_dt where the layer has a residual, idt [width]. Of float32 nets `nodes` are
// intervals.
#include <algorithm>
#include <string>

#include "core/curve/nodes.h"
#include "core/curve/sum.h"
#include "tf/binding.h"

namespace deeptf {
namespace {

constexpr int kFirstWeight = 3;  // after node_row, grid and needed_row

struct Style {
  explicit Style(OpKernelConstruction* context) {
    std::string name;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &name));
    OP_REQUIRES_OK(context, context->GetAttr("neuron", &neuron));
    OP_REQUIRES_OK(context, context->GetAttr("resnet_dt", &resnet_dt));
    OP_REQUIRES_OK(context, context->GetAttr("N", &num_weights));
    OP_REQUIRES_OK(context, context->GetAttr("segments", &segments));
    bool positive = !neuron.empty() && segments > 0;
    for (const int32_t width : neuron) positive = positive && width > 0;
    OP_REQUIRES(context, positive,
                absl::InvalidArgumentError("`neuron` and `segments` must be positive"));
    try {
      activation = activation_of(name);
    } catch (const Error& error) {
      context->CtxFailure(absl::InvalidArgumentError(error.what()));
    }
  }

  std::vector<int32_t> neuron;
  bool resnet_dt = false;
  Activation activation = Activation::linear;
  int num_weights = 0;
  int64_t segments = 0;
};

// Calls body(curve, n_in, width, has idt, index of the first of its weights) for every layer;
// returns the number of weights.
template <class Body>
int for_each_layer(int64_t curves, const Style& style, const Body& body) {
  int index = 0;
  for (int64_t curve = 0; curve < curves; ++curve) {
    int64_t n_in = 1;
    for (const int64_t width : style.neuron) {
      const bool idt = style.resnet_dt && has_residual(n_in, width);
      body(curve, n_in, width, idt, index);
      index += idt ? 3 : 2;
      n_in = width;
    }
  }
  return index;
}

template <class T>
EmbeddingNets<T> read_nets(OpKernelContext* context, const Style& style) {
  const Tensor& node_row = input(context, 0, "node_row", {-1});
  const int64_t curves = std::max<int64_t>(0, node_row.dim_size(0) - 1) / style.segments;
  const int64_t segments = curves * style.segments;
  EmbeddingNets<T> nets{
      style.activation,
      {},
      {curves, style.segments, 0, data<int32_t>(input(context, 0, "node_row", {segments + 1})),
       data<double>(input(context, 1, "grid", {segments, 2}))},
      nullptr};
  bool rising = curves > 0 && nets.segments.node_row[0] == 0;
  for (int64_t k = 0; k < segments; ++k) {
    rising = rising && nets.segments.node_row[k] <= nets.segments.node_row[k + 1];
  }
  if (!rising) throw Error("`node_row` must begin with 0 and not decrease");
  const int64_t nodes = nets.segments.num_nodes();
  nets.needed_row = data<int32_t>(input(context, 2, "needed_row", {nodes + 1}));
  check_needed(nets.needed_row, nodes, nets.needed_row[nodes]);
  const auto ignore = [](int64_t, int64_t, int64_t, bool, int) {};
  const int weights = for_each_layer(curves, style, ignore);
  if (weights != style.num_weights) {
    throw Error("`weights` must hold " + std::to_string(weights) + " arrays for " +
                std::to_string(curves) + " nets, got " + std::to_string(style.num_weights));
  }
  nets.layers.resize(curves);
  for_each_layer(curves, style,
                 [&](int64_t curve, int64_t n_in, int64_t width, bool idt, int index) {
                   const int at = kFirstWeight + index;
                   nets.layers[curve].push_back(
                       {n_in, width, data<T>(input(context, at, "matrix", {n_in, width})),
                        data<T>(input(context, at + 1, "bias", {width})),
                        idt ? data<T>(input(context, at + 2, "idt", {width})) : nullptr});
                 });
  return nets;
}

// Groups of rows in the table of a number of nodes, which may be none.
template <class T>
int64_t groups_of(const EmbeddingNets<T>& nets) {
  return std::max<int64_t>(0, table_groups<T>(nets.num_needed()));
}

template <class T>
void nodes(OpKernelContext* context, const Style& style) {
  const EmbeddingNets<T> nets = read_nets<T>(context, style);
  T* table = output<T>(context, 0, {groups_of(nets), kTableRows<T>, padded_width<T>(nets.width())});
  embedding_nodes(nets, context_of(context), table);
}

template <class T>
void nodes_grad(OpKernelContext* context, const Style& style) {
  const EmbeddingNets<T> nets = read_nets<T>(context, style);
  const int64_t curves = static_cast<int64_t>(nets.layers.size());
  const Tensor& grad = input(context, context->num_inputs() - 1, "nodes_grad",
                             {groups_of(nets), kTableRows<T>, padded_width<T>(nets.width())});
  EmbeddingNetsGrad<T> grads(curves);
  for_each_layer(curves, style,
                 [&](int64_t curve, int64_t n_in, int64_t width, bool idt, int index) {
                   grads[curve].push_back({output<T>(context, index, {n_in, width}),
                                           output<T>(context, index + 1, {width}),
                                           idt ? output<T>(context, index + 2, {width}) : nullptr});
                 });
  embedding_nodes_grad(nets, context_of(context), data<T>(grad), grads);
}

absl::Status shape_of_nodes(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, 2}));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1}));
  c->set_output(0, c->UnknownShapeOfRank(3));
  return absl::OkStatus();
}

absl::Status shape_of_grads(InferenceContext* c) {
  for (int k = 0; k < c->num_outputs(); ++k) c->set_output(k, c->input(kFirstWeight + k));
  return absl::OkStatus();
}

}  // namespace

// What both ops have.
#define DEEPTF_NODES(OP)              \
  REGISTER_OP(OP)                     \
      .Attr("T: {float, double}")     \
      .Attr("N: int >= 1")            \
      .Attr("activation: string")     \
      .Attr("neuron: list(int) >= 1") \
      .Attr("resnet_dt: bool")        \
      .Attr("segments: int = 1")      \
      .Input("node_row: int32")       \
      .Input("grid: double")          \
      .Input("needed_row: int32")     \
      .Input("weights: N * T")

DEEPTF_NODES("EmbeddingNodes").Output("nodes: T").SetShapeFn(shape_of_nodes);
DEEPTF_NODES("EmbeddingNodesGrad")
    .Input("nodes_grad: T")
    .Output("weights_grad: N * T")
    .SetShapeFn(shape_of_grads);
#undef DEEPTF_NODES

DEEPTF_KERNELS("EmbeddingNodes", Style, nodes);
DEEPTF_KERNELS("EmbeddingNodesGrad", Style, nodes_grad);

}  // namespace deeptf
