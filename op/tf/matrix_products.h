// What the binding of MatrixProducts does on any device: products of several pairs of matrices side
// by side; see core/base/gemm.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/gemm.h"
#include "tf/binding.h"

namespace deeptf {

using TransposeFlags = std::vector<bool>;

inline absl::Status check_flags(const TransposeFlags& a, const TransposeFlags& b, int64_t number) {
  const auto size = static_cast<size_t>(number);
  if (a.size() == size && b.size() == size) return absl::OkStatus();
  return absl::InvalidArgumentError("`transpose_a` and `transpose_b` must have " +
                                    std::to_string(number) + " elements, got " +
                                    std::to_string(a.size()) + " and " + std::to_string(b.size()));
}

struct TransposedFactors {
  explicit TransposedFactors(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("transpose_a", &a));
    OP_REQUIRES_OK(context, context->GetAttr("transpose_b", &b));
    OP_REQUIRES_OK(context, check_flags(a, b, context->num_outputs()));
  }
  TransposeFlags a, b;
};

template <class T>
struct MatrixFactor {
  MatrixFactor(const Tensor& tensor, bool transposed)
      : rows(tensor.dim_size(0)), columns(tensor.dim_size(1)), view{data<T>(tensor), columns, 1} {
    if (!transposed) return;
    std::swap(rows, columns);
    view = view.transposed();
  }

  int64_t rows, columns;
  MatrixView<T> view;
};

template <class Device, class T>
void products_of_matrices(OpKernelContext* context, const TransposedFactors& transposed) {
  const int number = static_cast<int>(transposed.a.size());
  std::vector<Multiplication<T>> all;
  for (int k = 0; k < number; ++k) {
    const MatrixFactor<T> a(input(context, k, "a", {-1, -1}), transposed.a[k]);
    const MatrixFactor<T> b(input(context, number + k, "b", {-1, -1}), transposed.b[k]);
    if (a.columns != b.rows) {
      throw Error("factors of product " + std::to_string(k) + " must have one inner size, got " +
                  std::to_string(a.columns) + " and " + std::to_string(b.rows));
    }
    T* c = output<T>(context, k, {a.rows, b.columns});
    all.push_back({{a.rows, b.columns, c, b.columns, false}, {{a.columns, a.view, b.view}}});
  }
  multiply_all(Device::of(context), all);
}

}  // namespace deeptf
