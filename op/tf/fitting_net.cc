// Bindings of FittingNet and FittingNetGrad; see core/nets/fitting_net.h.
#include "core/nets/fitting_net.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

using tensorflow::OpInputList;

// H, the sum of attribute `neuron`.
absl::Status hidden_width(InferenceContext* c, int64_t* hidden) {
  std::vector<int64_t> neuron;
  TF_RETURN_IF_ERROR(c->GetAttr("neuron", &neuron));
  *hidden = 0;
  for (const int64_t width : neuron) *hidden += width;
  return absl::OkStatus();
}

absl::Status shape_of_net(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1}));
  int64_t hidden = 0;
  TF_RETURN_IF_ERROR(hidden_width(c, &hidden));
  const DimensionHandle atoms = c->Dim(c->input(0), 0);
  c->set_output(0, c->Vector(atoms));
  c->set_output(1, c->input(0));
  c->set_output(2, c->Matrix(atoms, hidden));
  c->set_output(3, c->Matrix(atoms, hidden));
  return absl::OkStatus();
}

absl::Status shape_of_grad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1}));
  int64_t hidden = 0;
  TF_RETURN_IF_ERROR(hidden_width(c, &hidden));
  TF_RETURN_IF_ERROR(expect(c, 2, {-1, hidden}));
  TF_RETURN_IF_ERROR(expect(c, 3, {-1, hidden}));
  TF_RETURN_IF_ERROR(expect(c, 4, {-1, -1}));
  ShapeHandle descriptor;
  TF_RETURN_IF_ERROR(c->Merge(c->input(1), c->input(4), &descriptor));
  c->set_output(0, descriptor);
  for (int weight = 1; weight < c->num_outputs(); ++weight) {
    c->set_output(weight, c->input(weight + 5));
  }
  return absl::OkStatus();
}

// What both ops have in common: the attributes, and the inputs descriptor, atom_count and weights.
template <class T>
class FittingKernel : public OpKernel {
 public:
  explicit FittingKernel(OpKernelConstruction* context) : OpKernel(context) {
    std::string activation;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &activation));
    OP_REQUIRES_OK(context, context->GetAttr("neuron", &shape_.neuron));
    OP_REQUIRES_OK(context, context->GetAttr("resnet_dt", &shape_.resnet_dt));
    OP_REQUIRES(context, !shape_.neuron.empty(),
                absl::InvalidArgumentError("`neuron` must hold positive widths, got none"));
    for (const int64_t width : shape_.neuron) {
      OP_REQUIRES(context, width > 0,
                  absl::InvalidArgumentError("`neuron` must hold positive widths, got " +
                                             std::to_string(width)));
    }
    try {
      shape_.activation = activation_of(activation);
    } catch (const Error& error) {
      context->CtxFailure(absl::InvalidArgumentError(error.what()));
    }
  }

 protected:
  // The common inputs, the first of which is input `first`.
  FittingInputs<T> common(OpKernelContext* context, int first) const {
    const Tensor& descriptor = input(context, first, "descriptor", {-1, -1});
    const Tensor& count = input(context, first + 1, "atom_count", {-1});
    FittingInputs<T> in{shape_,
                        descriptor.dim_size(0),
                        static_cast<int32_t>(count.dim_size(0)),
                        data<T>(descriptor),
                        data<int32_t>(count),
                        {}};
    in.shape.width = descriptor.dim_size(1);
    OpInputList weights;
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

 private:
  FittingShape shape_{};  // but for its width
};

template <class T>
class FittingNet : public FittingKernel<T> {
 public:
  using FittingKernel<T>::FittingKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const FittingInputs<T> in = this->common(context, 0);
      const int64_t n = in.num_atoms, hidden = in.shape.hidden_width();
      const FittingOutputs<T> out{
          output<T>(context, 0, {n}), output<T>(context, 1, {n, in.shape.width}),
          output<T>(context, 2, {n, hidden}), output<T>(context, 3, {n, hidden})};
      fitting_net(in, context_of(context), out);
    });
  }
};

template <class T>
class FittingNetGrad : public FittingKernel<T> {
 public:
  using FittingKernel<T>::FittingKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const FittingInputs<T> in = this->common(context, 4);
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
      fitting_net_grad(in, context_of(context), upstream, out);
    });
  }
};

}  // namespace

REGISTER_OP("FittingNet")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .Attr("neuron: list(int)")
    .Attr("activation: string")
    .Attr("resnet_dt: bool")
    .Input("descriptor: T")
    .Input("atom_count: int32")
    .Input("weights: N * T")
    .Output("energy: T")
    .Output("slope: T")
    .Output("preactivation: T")
    .Output("backward: T")
    .SetShapeFn(shape_of_net);

REGISTER_OP("FittingNetGrad")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .Attr("neuron: list(int)")
    .Attr("activation: string")
    .Attr("resnet_dt: bool")
    .Input("energy_grad: T")
    .Input("slope_grad: T")
    .Input("preactivation: T")
    .Input("backward: T")
    .Input("descriptor: T")
    .Input("atom_count: int32")
    .Input("weights: N * T")
    .Output("descriptor_grad: T")
    .Output("weight_grads: N * T")
    .SetShapeFn(shape_of_grad);

#define DEEPTF_REGISTER(NAME, T)                                                             \
  REGISTER_KERNEL_BUILDER(Name(#NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
                          NAME<T>)
DEEPTF_REGISTER(FittingNet, float);
DEEPTF_REGISTER(FittingNet, double);
DEEPTF_REGISTER(FittingNetGrad, float);
DEEPTF_REGISTER(FittingNetGrad, double);
#undef DEEPTF_REGISTER

}  // namespace deeptf
