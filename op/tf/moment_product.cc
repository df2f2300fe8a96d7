// Bindings of MomentProduct, MomentProductGrad and MomentProductPolar; see
// core/moments/moment_product.h.
#include "core/moments/moment_product.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

struct Axis {
  explicit Axis(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("axis", &size));
  }
  int64_t size = 0;
};

template <class T>
struct Moments {
  Moments(OpKernelContext* context, const Axis& axis) {
    const Tensor& in = input(context, 0, "moments", {-1, -1, -1});
    shape = {in.dim_size(0), in.dim_size(1), in.dim_size(2), axis.size};
    if (axis.size < 1 || axis.size > shape.width) {
      throw Error("`axis` must be from 1 to the width " + std::to_string(shape.width) + ", got " +
                  std::to_string(axis.size));
    }
    values = data<T>(in);
  }

  MomentShape shape;
  const T* values;
};

template <class T>
void product(OpKernelContext* context, const Axis& axis) {
  const auto [s, moments] = Moments<T>(context, axis);
  T* product = output<T>(context, 0, {s.num_atoms, s.width, s.axis});
  moment_product(s, context_of(context), moments, product);
}

template <class T>
void grad(OpKernelContext* context, const Axis& axis) {
  const auto [s, moments] = Moments<T>(context, axis);
  const T* upper = data<T>(input(context, 1, "upper", {s.num_atoms, s.width, s.axis}));
  T* grad = output<T>(context, 0, {s.num_atoms, s.columns, s.width});
  moment_product_grad(s, context_of(context), moments, upper, grad);
}

template <class T>
void polar(OpKernelContext* context, const Axis& axis) {
  const auto [s, moments] = Moments<T>(context, axis);
  const T* other = data<T>(input(context, 1, "other", {s.num_atoms, s.columns, s.width}));
  T* polar = output<T>(context, 0, {s.num_atoms, s.width, s.axis});
  moment_product_polar(s, context_of(context), moments, other, polar);
}

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

DEEPTF_KERNELS("MomentProduct", Axis, product);
DEEPTF_KERNELS("MomentProductGrad", Axis, grad);
DEEPTF_KERNELS("MomentProductPolar", Axis, polar);

}  // namespace deeptf
