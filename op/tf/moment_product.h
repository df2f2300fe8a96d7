// What the bindings of MomentProduct, MomentProductGrad and MomentProductPolar do on any device;
// see core/moments/moment_product.h.
#pragma once

#include <string>

#include "core/moments/moment_product.h"
#include "tf/binding.h"

namespace deeptf {

struct MomentAxis {
  explicit MomentAxis(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("axis", &size));
  }
  int64_t size = 0;
};

template <class T>
struct MomentInputs {
  MomentInputs(OpKernelContext* context, const MomentAxis& axis) {
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

template <class Device, class T>
void product_of_moments(OpKernelContext* context, const MomentAxis& axis) {
  const auto [s, moments] = MomentInputs<T>(context, axis);
  T* product = output<T>(context, 0, {s.num_atoms, s.width, s.axis});
  moment_product(s, Device::of(context), moments, product);
}

template <class Device, class T>
void product_of_moments_grad(OpKernelContext* context, const MomentAxis& axis) {
  const auto [s, moments] = MomentInputs<T>(context, axis);
  const T* upper = data<T>(input(context, 1, "upper", {s.num_atoms, s.width, s.axis}));
  T* grad = output<T>(context, 0, {s.num_atoms, s.columns, s.width});
  moment_product_grad(s, Device::of(context), moments, upper, grad);
}

template <class Device, class T>
void product_of_moments_polar(OpKernelContext* context, const MomentAxis& axis) {
  const auto [s, moments] = MomentInputs<T>(context, axis);
  const T* other = data<T>(input(context, 1, "other", {s.num_atoms, s.columns, s.width}));
  T* polar = output<T>(context, 0, {s.num_atoms, s.width, s.axis});
  moment_product_polar(s, Device::of(context), moments, other, polar);
}

}  // namespace deeptf
