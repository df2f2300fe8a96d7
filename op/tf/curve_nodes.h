// What the bindings of EmbeddingNodes and EmbeddingNodesGrad do on any device; see
// core/curve/nodes.h.
//
// `weights` lists, for each curve and each of its layers, matrix [n_in, width], bias [width] and,
// with resnet_dt where the layer has a residual, idt [width]. Of float32 nets `nodes` are
// intervals. Where the host cannot read how many nodes are needed, the table has room for all.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/curve/nodes.h"
#include "core/curve/sum.h"
#include "tf/binding.h"

namespace deeptf {

constexpr int kFirstWeight = 3;  // after node_row, grid and needed_row

struct NodeStyle {
  explicit NodeStyle(OpKernelConstruction* context) {
    std::string name;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &name));
    OP_REQUIRES_OK(context, context->GetAttr("neuron", &neuron));
    OP_REQUIRES_OK(context, context->GetAttr("resnet_dt", &resnet_dt));
    OP_REQUIRES_OK(context, context->GetAttr("N", &num_weights));
    OP_REQUIRES_OK(context, context->GetAttr("segments", &segments));
    OP_REQUIRES_OK(context, context->GetAttr("bent", &bent));
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
  bool bent = false;
};

// Calls body(curve, n_in, width, has idt, index of the first of its weights) for every layer;
// returns the number of weights.
template <class Body>
int for_each_layer(int64_t curves, const NodeStyle& style, const Body& body) {
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

// The inputs of both ops.
template <class T>
struct NodeInputs {
  EmbeddingNets<T> nets;
  int64_t num_needed;

  // Groups of rows in the table, of which there may be none.
  int64_t groups() const { return std::max<int64_t>(0, table_groups<T>(num_needed)); }
};

// Number of needed nodes; throws Error for rows that do not rise.
template <class T>
int64_t check_nodes(const EmbeddingNets<T>& nets, int64_t most) {
  const CurveSegments& segments = nets.segments;
  bool rising = segments.num_curves > 0 && segments.node_row[0] == 0;
  for (int64_t k = 0; k < segments.num_curves * segments.number; ++k) {
    rising = rising && segments.node_row[k] <= segments.node_row[k + 1];
  }
  if (!rising) throw Error("`node_row` must begin with 0 and not decrease");
  if (segments.num_nodes() != most) {
    throw Error("`needed_row` must have shape [" + std::to_string(segments.num_nodes() + 1) +
                "], got [" + std::to_string(most + 1) + "]");
  }
  check_needed(nets.needed_row, most, nets.num_needed());
  return nets.num_needed();
}

template <class Device, class T>
NodeInputs<T> node_inputs(OpKernelContext* context, const NodeStyle& style) {
  const Tensor& node_row = input(context, 0, "node_row", {-1});
  const int64_t curves = std::max<int64_t>(0, node_row.dim_size(0) - 1) / style.segments;
  const int64_t segments = curves * style.segments;
  const Tensor& needed_row = input(context, 2, "needed_row", {-1});
  NodeInputs<T> in{
      {style.activation,
       {},
       {curves, style.segments, 0, data<int32_t>(input(context, 0, "node_row", {segments + 1})),
        data<double>(input(context, 1, "grid", {segments, 2}))},
       data<int32_t>(needed_row),
       style.bent},
      needed_row.dim_size(0) - 1};
  if constexpr (Device::kOnHost) in.num_needed = check_nodes(in.nets, in.num_needed);
  const auto ignore = [](int64_t, int64_t, int64_t, bool, int) {};
  const int weights = for_each_layer(curves, style, ignore);
  if (weights != style.num_weights) {
    throw Error("`weights` must hold " + std::to_string(weights) + " arrays for " +
                std::to_string(curves) + " nets, got " + std::to_string(style.num_weights));
  }
  in.nets.layers.resize(curves);
  for_each_layer(curves, style,
                 [&](int64_t curve, int64_t n_in, int64_t width, bool idt, int index) {
                   const int at = kFirstWeight + index;
                   in.nets.layers[curve].push_back(
                       {n_in, width, data<T>(input(context, at, "matrix", {n_in, width})),
                        data<T>(input(context, at + 1, "bias", {width})),
                        idt ? data<T>(input(context, at + 2, "idt", {width})) : nullptr});
                 });
  return in;
}

// The kernels of the CPU read the number of needed nodes themselves.
template <class T>
void nodes_on(const NodeInputs<T>& in, const Context& context, T* table) {
  embedding_nodes(in.nets, context, table);
}
template <class T>
void nodes_grad_on(const NodeInputs<T>& in, const Context& context, const T* table_grad,
                   const EmbeddingNetsGrad<T>& grads) {
  embedding_nodes_grad(in.nets, context, table_grad, grads);
}

template <class Device, class T>
void nodes_of_curves(OpKernelContext* context, const NodeStyle& style) {
  const auto in = node_inputs<Device, T>(context, style);
  T* table = output<T>(context, 0, {in.groups(), kTableRows<T>, padded_width<T>(in.nets.width())});
  nodes_on(in, Device::of(context), table);
}

template <class Device, class T>
void nodes_of_curves_grad(OpKernelContext* context, const NodeStyle& style) {
  const auto in = node_inputs<Device, T>(context, style);
  const int64_t curves = static_cast<int64_t>(in.nets.layers.size());
  const Tensor& grad = input(context, context->num_inputs() - 1, "nodes_grad",
                             {in.groups(), kTableRows<T>, padded_width<T>(in.nets.width())});
  EmbeddingNetsGrad<T> grads(curves);
  for_each_layer(curves, style,
                 [&](int64_t curve, int64_t n_in, int64_t width, bool idt, int index) {
                   grads[curve].push_back({output<T>(context, index, {n_in, width}),
                                           output<T>(context, index + 1, {width}),
                                           idt ? output<T>(context, index + 2, {width}) : nullptr});
                 });
  nodes_grad_on(in, Device::of(context), data<T>(grad), grads);
}

}  // namespace deeptf
