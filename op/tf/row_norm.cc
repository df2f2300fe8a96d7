// Bindings of RowNorm, RowNormGrad and RowNormGradGrad; see core/nets/row_norm.h.
#include "core/nets/row_norm.h"

#include "tf/binding.h"

namespace deeptf {
namespace {

struct None {
  explicit None(OpKernelConstruction*) {}
};

// Inputs 0 and 1.
template <class T>
NormRows<T> rows_of(OpKernelContext* context) {
  const Tensor& x = input(context, 0, "x", {-1, -1});
  const T epsilon = *data<T>(input(context, 1, "epsilon", {}));
  if (!(epsilon > 0)) {
    throw Error("`epsilon` must be positive, got " + std::to_string(epsilon));
  }
  return {x.dim_size(0), x.dim_size(1), epsilon, data<T>(x)};
}

template <class T>
void norm(OpKernelContext* context, const None&) {
  const NormRows<T> rows = rows_of<T>(context);
  row_norm(rows, context_of(context), output<T>(context, 0, {rows.count, rows.width}));
}

template <class T>
void grad(OpKernelContext* context, const None&) {
  const NormRows<T> rows = rows_of<T>(context);
  const T* u = data<T>(input(context, 2, "u", {rows.count, rows.width}));
  row_norm_grad(rows, context_of(context), u, output<T>(context, 0, {rows.count, rows.width}));
}

template <class T>
void grad_grad(OpKernelContext* context, const None&) {
  const NormRows<T> rows = rows_of<T>(context);
  const T* u = data<T>(input(context, 2, "u", {rows.count, rows.width}));
  const T* v = data<T>(input(context, 3, "v", {rows.count, rows.width}));
  row_norm_grad_grad(rows, context_of(context), u, v,
                     output<T>(context, 0, {rows.count, rows.width}));
}

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

DEEPTF_KERNELS("RowNorm", None, norm);
DEEPTF_KERNELS("RowNormGrad", None, grad);
DEEPTF_KERNELS("RowNormGradGrad", None, grad_grad);

}  // namespace deeptf
