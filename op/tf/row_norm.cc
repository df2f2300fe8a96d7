// The ops RowNorm, RowNormGrad and RowNormGradGrad, and their CPU kernels.
#include "tf/row_norm.h"

namespace deeptf {
namespace {

// All but epsilon have the shape of the output.
absl::Status shape_of_rows(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, -1}));
  TF_RETURN_IF_ERROR(expect(c, 1, {}));
  ShapeHandle rows = c->input(0);
  for (int index = 2; index < c->num_inputs(); ++index) {
    TF_RETURN_IF_ERROR(c->Merge(rows, c->input(index), &rows));
  }
  c->set_output(0, rows);
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("RowNorm")
    .Attr("T: {float, double}")
    .Input("x: T")
    .Input("epsilon: T")
    .Output("y: T")
    .SetShapeFn(shape_of_rows);
REGISTER_OP("RowNormGrad")
    .Attr("T: {float, double}")
    .Input("x: T")
    .Input("epsilon: T")
    .Input("u: T")
    .Output("grad: T")
    .SetShapeFn(shape_of_rows);
REGISTER_OP("RowNormGradGrad")
    .Attr("T: {float, double}")
    .Input("x: T")
    .Input("epsilon: T")
    .Input("u: T")
    .Input("v: T")
    .Output("grad: T")
    .SetShapeFn(shape_of_rows);

DEEPTF_CPU_KERNELS("RowNorm", NoAttributes, rows_normed);
DEEPTF_CPU_KERNELS("RowNormGrad", NoAttributes, rows_normed_grad);
DEEPTF_CPU_KERNELS("RowNormGradGrad", NoAttributes, rows_normed_grad_grad);

}  // namespace deeptf
