// What the bindings of FittingNet and FittingNetGrad do on any device; see core/nets/fitting_net.h.
#pragma once

#include <string>

#include "core/nets/fitting_net.h"
#include "tf/binding.h"

namespace deeptf {

// The attributes of both ops.
struct FittingAttributes {
  explicit FittingAttributes(OpKernelConstruction* context) {
    std::string activation;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &activation));
    OP_REQUIRES_OK(context, context->GetAttr("neuron", &shape.neuron));
    OP_REQUIRES_OK(context, context->GetAttr("resnet_dt", &shape.resnet_dt));
    OP_REQUIRES(context, !shape.neuron.empty(),
                absl::InvalidArgumentError("`neuron` must hold positive widths, got none"));
    for (const int64_t width : shape.neuron) {
      OP_REQUIRES(context, width > 0,
                  absl::InvalidArgumentError("`neuron` must hold positive widths, got " +
                                             std::to_string(width)));
    }
    try {
      shape.activation = activation_of(activation);
    } catch (const Error& error) {
      context->CtxFailure(absl::InvalidArgumentError(error.what()));
    }
  }

  FittingShape shape{};  // but for its width
};

// The inputs of both ops, from input `first` on: descriptor, atom_count and weights.
template <class T>
FittingInputs<T> fitting_inputs(OpKernelContext* context, const FittingShape& shape, int first) {
  const Tensor& descriptor = input(context, first, "descriptor", {-1, -1});
  const Tensor& count = input(context, first + 1, "atom_count", {-1});
  FittingInputs<T> in{shape,
                      descriptor.dim_size(0),
                      static_cast<int32_t>(count.dim_size(0)),
                      data<T>(descriptor),
                      data<int32_t>(count),
                      {}};
  in.shape.width = descriptor.dim_size(1);
  tensorflow::OpInputList weights;
  if (!context->input_list("weights", &weights).ok()) throw Error("`weights` must be given");
  for (const Tensor& weight : weights) in.weights.push_back(data<T>(weight));
  check_fitting(in);
  const auto shapes = in.shape.array_shapes();
  for (int k = 0; k < weights.size(); ++k) {
    const TensorShape wanted(shapes[k % shapes.size()]);
    if (weights[k].shape() != wanted) {
      throw Error("array " + std::to_string(k % shapes.size()) + " of `weights` for type " +
                  std::to_string(k / shapes.size()) + " must have shape " + wanted.DebugString() +
                  ", got " + weights[k].shape().DebugString());
    }
  }
  return in;
}

template <class Device, class T>
void energy_and_slope(OpKernelContext* context, const FittingAttributes& attributes) {
  const auto in = fitting_inputs<T>(context, attributes.shape, 0);
  const int64_t n = in.num_atoms, hidden = in.shape.hidden_width();
  const FittingOutputs<T> out{
      output<T>(context, 0, {n}), output<T>(context, 1, {n, in.shape.width}),
      output<T>(context, 2, {n, hidden}), output<T>(context, 3, {n, hidden})};
  fitting_net(in, Device::of(context), out);
}

template <class Device, class T>
void energy_and_slope_grad(OpKernelContext* context, const FittingAttributes& attributes) {
  const auto in = fitting_inputs<T>(context, attributes.shape, 4);
  const int64_t n = in.num_atoms, width = in.shape.width, hidden = in.shape.hidden_width();
  const FittingUpstream<T> upstream{data<T>(input(context, 0, "energy_grad", {n})),
                                    data<T>(input(context, 1, "slope_grad", {n, width})),
                                    data<T>(input(context, 2, "preactivation", {n, hidden})),
                                    data<T>(input(context, 3, "backward", {n, hidden}))};
  FittingGrads<T> out{output<T>(context, 0, {n, width}), {}};
  for (size_t k = 0; k < in.weights.size(); ++k) {
    const int place = static_cast<int>(k);
    Tensor* grad = nullptr;
    if (!context->allocate_output(1 + place, context->input(6 + place).shape(), &grad).ok()) {
      throw std::bad_alloc();
    }
    out.weights.push_back(grad->template flat<T>().data());
  }
  fitting_net_grad(in, Device::of(context), upstream, out);
}

}  // namespace deeptf
