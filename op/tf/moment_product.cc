// Bindings of MomentProduct, MomentProductGrad and MomentProductPolar; see core/moment_product.h.
#include "core/moment_product.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

template <class T>
class MomentKernel : public OpKernel {
 public:
  explicit MomentKernel(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("axis", &axis_));
  }

 protected:
  MomentShape shape(OpKernelContext* context, const T** moments) const {
    const Tensor& in = input(context, 0, "moments", {-1, -1, -1});
    const MomentShape shape{in.dim_size(0), in.dim_size(1), in.dim_size(2), axis_};
    if (axis_ < 1 || axis_ > shape.width) {
      throw Error("`axis` must be from 1 to the width " + std::to_string(shape.width) + ", got " +
                  std::to_string(axis_));
    }
    *moments = data<T>(in);
    return shape;
  }

  int64_t axis_ = 0;
};

template <class T>
class MomentProduct : public MomentKernel<T> {
 public:
  using MomentKernel<T>::MomentKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const T* moments;
      const MomentShape s = this->shape(context, &moments);
      T* product = output<T>(context, 0, {s.num_atoms, s.width, s.axis});
      moment_product(s, threads_of(context), moments, product);
    });
  }
};

template <class T>
class MomentProductGrad : public MomentKernel<T> {
 public:
  using MomentKernel<T>::MomentKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const T* moments;
      const MomentShape s = this->shape(context, &moments);
      const Tensor& upper = input(context, 1, "upper", {s.num_atoms, s.width, s.axis});
      T* grad = output<T>(context, 0, {s.num_atoms, s.columns, s.width});
      moment_product_grad(s, threads_of(context), moments, data<T>(upper), grad);
    });
  }
};

template <class T>
class MomentProductPolar : public MomentKernel<T> {
 public:
  using MomentKernel<T>::MomentKernel;

  void Compute(OpKernelContext* context) override {
    guard(context, [&] {
      const T* moments;
      const MomentShape s = this->shape(context, &moments);
      const Tensor& other = input(context, 1, "other", {s.num_atoms, s.columns, s.width});
      T* polar = output<T>(context, 0, {s.num_atoms, s.width, s.axis});
      moment_product_polar(s, threads_of(context), moments, data<T>(other), polar);
    });
  }
};

// Output [n, M, axis] from moments [n, W, M].
absl::Status shape_of_product(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, -1, -1}));
  int64_t axis;
  TF_RETURN_IF_ERROR(c->GetAttr("axis", &axis));
  c->set_output(0,
                c->MakeShape({c->Dim(c->input(0), 0), c->Dim(c->input(0), 2), c->MakeDim(axis)}));
  return absl::OkStatus();
}

absl::Status shape_of_moments(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, -1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {-1, -1, -1}));
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("MomentProduct")
    .Attr("T: {float, double}")
    .Attr("axis: int")
    .Input("moments: T")
    .Output("product: T")
    .SetShapeFn(shape_of_product);
REGISTER_OP("MomentProductGrad")
    .Attr("T: {float, double}")
    .Attr("axis: int")
    .Input("moments: T")
    .Input("upper: T")
    .Output("grad: T")
    .SetShapeFn(shape_of_moments);
REGISTER_OP("MomentProductPolar")
    .Attr("T: {float, double}")
    .Attr("axis: int")
    .Input("moments: T")
    .Input("other: T")
    .Output("polar: T")
    .SetShapeFn(shape_of_product);

#define DEEPTF_REGISTER(NAME)                                                                     \
  REGISTER_KERNEL_BUILDER(Name(#NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<float>("T"),  \
                          NAME<float>);                                                           \
  REGISTER_KERNEL_BUILDER(Name(#NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<double>("T"), \
                          NAME<double>)
DEEPTF_REGISTER(MomentProduct);
DEEPTF_REGISTER(MomentProductGrad);
DEEPTF_REGISTER(MomentProductPolar);
#undef DEEPTF_REGISTER

}  // namespace deeptf
