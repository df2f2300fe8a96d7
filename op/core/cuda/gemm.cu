// See gemm.h. cuBLAS takes matrices by columns, so it is given the transposed product C^T = B^T
// A^T.
#include <algorithm>
#include <map>
#include <string>

#include "core/cuda/blas_library.h"
#include "core/cuda/device.h"
#include "core/cuda/gemm.h"

namespace deeptf {
namespace {

template <class T>
struct SetToZero {
  Target<T> target;

  DEEPTF_HD void operator()(int64_t k) const {
    target.c[k / target.columns * target.stride + k % target.columns] = 0;
  }
};

// A matrix by rows as cuBLAS sees its transposed: by columns, and transposed or not.
template <class T>
struct Operand {
  Operand(const MatrixView<T>& view, int64_t rows, int64_t columns)
      : operation(view.column_stride == 1 ? 0 : 1),
        least_stride(static_cast<int>(operation == 0 ? columns : rows)),
        stride(static_cast<int>(operation == 0 ? std::max(view.row_stride, columns)  // of one row
                                               : view.column_stride)),
        data(view.data) {}

  T at(int64_t row, int64_t column) const {
    return data[operation == 0 ? column * stride + row : row * stride + column];
  }

  int operation, least_stride, stride;  // cuBLAS refuses a smaller one
  const T* data;
};

#ifdef __CUDACC__

constexpr size_t kWorkspace = size_t{32} << 20;  // what cuBLAS takes by itself for sm_90

struct Library {
  BlasFunctions functions = blas_functions(open_blas(blas_names()));
  std::mutex mutex;
  std::map<int, void*> handles;  // of each device

  void check(int status) const {
    if (status != 0) throw Error(std::string("cuBLAS: ") + functions.status_string(status));
  }
};

Library& library() {
  static auto* one = new Library;  // it stays: at the end of the process CUDA may be gone
  return *one;
}

#else

// What cuBLAS does: C [m, n] = A B (+ C), all by columns.
template <class T>
struct PlainProduct {
  Operand<T> a, b;
  int m, depth;
  bool add;
  T* c;
  int c_stride;

  void operator()(int64_t k) const {
    const int64_t row = k % m, column = k / m;
    T sum = add ? c[column * c_stride + row] : T(0);
    for (int i = 0; i < depth; ++i) sum += a.at(row, i) * b.at(i, column);
    c[column * c_stride + row] = sum;
  }
};

#endif

}  // namespace

#ifdef __CUDACC__

Gemm::Gemm(const Cuda& cuda) : cuda_(cuda), lock_(library().mutex) {
  Library& blas = library();
  int device = 0;
  check_cuda(cudaGetDevice(&device));
  handle_ = blas.handles[device];
  if (handle_ == nullptr) {
    blas.check(blas.functions.create(&handle_));
    blas.handles[device] = handle_;
  }
  blas.check(blas.functions.set_stream(handle_, cuda.stream));
  blas.check(blas.functions.set_workspace(handle_, cuda.allocate(kWorkspace), kWorkspace));
}

#else

Gemm::Gemm(const Cuda& cuda) : cuda_(cuda) {}

#endif

template <class T>
void Gemm::multiply(const Target<T>& target, const Product<T>& product) const {
  const int64_t size = target.rows * target.columns;
  if (size == 0) return;
  if (product.depth == 0) {
    if (!target.add) for_each(cuda_, size, SetToZero<T>{target});
    return;
  }
  const Operand<T> a(product.b, product.depth, target.columns);
  const Operand<T> b(product.a, target.rows, product.depth);
  const int m = static_cast<int>(target.columns), n = static_cast<int>(target.rows);
  const int depth = static_cast<int>(product.depth), stride = static_cast<int>(target.stride);
#ifdef __CUDACC__
  const T one = 1, before = target.add ? T(1) : T(0);
  const Library& blas = library();
  blas.check(blas.functions.gemm(T())(handle_, a.operation, b.operation, m, n, depth, &one, a.data,
                                      a.stride, b.data, b.stride, &before, target.c, stride));
#else
  if (a.stride < a.least_stride || b.stride < b.least_stride || stride < m) {
    throw Error("cuBLAS would refuse the strides of a matrix");
  }
  for_each(cuda_, int64_t{m} * n, PlainProduct<T>{a, b, m, depth, target.add, target.c, stride});
#endif
}

template void Gemm::multiply<float>(const Target<float>&, const Product<float>&) const;
template void Gemm::multiply<double>(const Target<double>&, const Product<double>&) const;

}  // namespace deeptf
