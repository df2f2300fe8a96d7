// The ops MomentProduct, MomentProductGrad and MomentProductPolar, and their CPU kernels.
#include "tf/moment_product.h"

namespace deeptf {
namespace {

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

DEEPTF_CPU_KERNELS("MomentProduct", MomentAxis, product_of_moments);
DEEPTF_CPU_KERNELS("MomentProductGrad", MomentAxis, product_of_moments_grad);
DEEPTF_CPU_KERNELS("MomentProductPolar", MomentAxis, product_of_moments_polar);

}  // namespace deeptf
