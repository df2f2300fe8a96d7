// Binding of MatrixProducts: products of several pairs of matrices side by side; see
// core/base/gemm.h.
#include <string>
#include <utility>
#include <vector>

#include "core/base/gemm.h"
#include "tf/binding.h"

namespace deeptf {
namespace {

using Flags = std::vector<bool>;

absl::Status check_flags(const Flags& a, const Flags& b, int64_t number) {
  const auto size = static_cast<size_t>(number);
  if (a.size() == size && b.size() == size) return absl::OkStatus();
  return absl::InvalidArgumentError("`transpose_a` and `transpose_b` must have " +
                                    std::to_string(number) + " elements, got " +
                                    std::to_string(a.size()) + " and " + std::to_string(b.size()));
}

struct Transposed {
  explicit Transposed(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("transpose_a", &a));
    OP_REQUIRES_OK(context, context->GetAttr("transpose_b", &b));
    OP_REQUIRES_OK(context, check_flags(a, b, context->num_outputs()));
  }
  Flags a, b;
};

template <class T>
struct Factor {
  Factor(const Tensor& tensor, bool transposed)
      : rows(tensor.dim_size(0)), columns(tensor.dim_size(1)), view{data<T>(tensor), columns, 1} {
    if (!transposed) return;
    std::swap(rows, columns);
    view = view.transposed();
  }

  int64_t rows, columns;
  MatrixView<T> view;
};

template <class T>
void products(OpKernelContext* context, const Transposed& transposed) {
  const int number = static_cast<int>(transposed.a.size());
  std::vector<Multiplication<T>> all;
  for (int k = 0; k < number; ++k) {
    const Factor<T> a(input(context, k, "a", {-1, -1}), transposed.a[k]);
    const Factor<T> b(input(context, number + k, "b", {-1, -1}), transposed.b[k]);
    if (a.columns != b.rows) {
      throw Error("factors of product " + std::to_string(k) + " must have one inner size, got " +
                  std::to_string(a.columns) + " and " + std::to_string(b.rows));
    }
    T* c = output<T>(context, k, {a.rows, b.columns});
    all.push_back({{a.rows, b.columns, c, b.columns, false}, {{a.columns, a.view, b.view}}});
  }
  multiply(context_of(context), all.data(), static_cast<int64_t>(all.size()));
}

// Output k [rows of factor a, columns of factor b].
absl::Status shape_of_products(InferenceContext* c) {
  const int number = c->num_outputs();
  Flags a, b;
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

DEEPTF_KERNELS("MatrixProducts", Transposed, products);

}  // namespace deeptf
