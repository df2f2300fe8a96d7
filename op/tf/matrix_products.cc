// The op MatrixProducts, and its CPU kernels.
#include "tf/matrix_products.h"

namespace deeptf {

template <class T>
void multiply_all(const Context& context, const std::vector<Multiplication<T>>& all) {
  multiply(context, all.data(), static_cast<int64_t>(all.size()));
}

namespace {

// Output k [rows of factor a, columns of factor b].
absl::Status shape_of_products(InferenceContext* c) {
  const int number = c->num_outputs();
  TransposeFlags a, b;
  TF_RETURN_IF_ERROR(c->GetAttr("transpose_a", &a));
  TF_RETURN_IF_ERROR(c->GetAttr("transpose_b", &b));
  TF_RETURN_IF_ERROR(check_flags(a, b, number));
  for (int k = 0; k < number; ++k) {
    TF_RETURN_IF_ERROR(expect(c, k, {-1, -1}));
    TF_RETURN_IF_ERROR(expect(c, number + k, {-1, -1}));
    c->set_output(k, c->Matrix(c->Dim(c->input(k), a[k] ? 1 : 0),
                               c->Dim(c->input(number + k), b[k] ? 0 : 1)));
  }
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("MatrixProducts")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .Attr("transpose_a: list(bool)")
    .Attr("transpose_b: list(bool)")
    .Input("a: N * T")
    .Input("b: N * T")
    .Output("product: N * T")
    .SetShapeFn(shape_of_products);

DEEPTF_CPU_KERNELS("MatrixProducts", TransposedFactors, products_of_matrices);

}  // namespace deeptf
