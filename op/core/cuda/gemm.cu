// See gemm.h. cuBLAS takes matrices by columns, so it is given the transposed product C^T = B^T
// A^T. Its math mode stays the default one, which rounds no float32 factor (to TF32): forces are
// derivatives of what comes out.
#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "core/cuda/blas_library.h"
#include "core/cuda/device.h"
#include "core/cuda/gemm.h"
#include "core/cuda/memory.h"

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

  int64_t place(int64_t row, int64_t column) const {
    return operation == 0 ? column * stride + row : row * stride + column;
  }

  int operation, least_stride, stride;  // cuBLAS refuses a smaller one
  const T* data;
};

// What cuBLAS is asked for: C [m, n] = A B (+ C), all by columns.
template <class T>
struct Call {
  Call(const Target<T>& target, const Product<T>& product)
      : a(product.b, product.depth, target.columns),
        b(product.a, target.rows, product.depth),
        m(static_cast<int>(target.columns)),
        n(static_cast<int>(target.rows)),
        depth(static_cast<int>(product.depth)),
        stride(static_cast<int>(target.stride)),
        add(target.add),
        c(target.c) {}

  // All but where the matrices lie.
  auto form() const {
    return std::tuple(a.operation, a.stride, b.operation, b.stride, m, n, depth, stride, add);
  }

  Operand<T> a, b;
  int m, n, depth, stride;
  bool add;
  T* c;
};

// Where the matrices of `number` calls of one form lie; the arrays are on the device.
template <class T>
struct Batch {
  const T *const *a, *const *b;
  T* const* c;
  int number;
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

template <class T>
void run(const Cuda&, void* handle, const Call<T>& call, const Batch<T>& batch) {
  const T one = 1, before = call.add ? T(1) : T(0);
  const Library& blas = library();
  blas.check(blas.functions.gemm_batched(T())(
      handle, call.a.operation, call.b.operation, call.m, call.n, call.depth, &one, batch.a,
      call.a.stride, batch.b, call.b.stride, &before, batch.c, call.stride, batch.number));
}

#else

// What cuBLAS does.
template <class T>
struct PlainProduct {
  Call<T> call;
  Batch<T> batch;

  void operator()(int64_t k) const {
    const int64_t size = int64_t{call.m} * call.n, of = k / size;
    const int64_t row = k % size % call.m, column = k % size / call.m;
    T& to = batch.c[of][column * call.stride + row];
    T sum = call.add ? to : T(0);
    for (int i = 0; i < call.depth; ++i) {
      sum += batch.a[of][call.a.place(row, i)] * batch.b[of][call.b.place(i, column)];
    }
    to = sum;
  }
};

template <class T>
void run(const Cuda& cuda, void*, const Call<T>& call, const Batch<T>& batch) {
  if (call.a.stride < call.a.least_stride || call.b.stride < call.b.least_stride ||
      call.stride < call.m) {
    throw Error("cuBLAS would refuse the strides of a matrix");
  }
  for_each(cuda, int64_t{call.m} * call.n * batch.number, PlainProduct<T>{call, batch});
}

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
  const Call<T> call(target, product);
#ifdef __CUDACC__
  const T one = 1, before = call.add ? T(1) : T(0);
  const Library& blas = library();
  blas.check(blas.functions.gemm(T())(handle_, call.a.operation, call.b.operation, call.m, call.n,
                                      call.depth, &one, call.a.data, call.a.stride, call.b.data,
                                      call.b.stride, &before, call.c, call.stride));
#else
  run(cuda_, handle_, call, {&call.a.data, &call.b.data, &call.c, 1});
#endif
}

template <class T>
void Gemm::multiply(const std::vector<Multiplication<T>>& all) const {
  using Form = decltype(std::declval<Call<T>>().form());
  std::map<Form, std::vector<Call<T>>> calls;
  for (const auto& [target, products] : all) {
    if (target.rows * target.columns == 0 || products[0].depth == 0) {
      multiply(target, products[0]);
      continue;
    }
    const Call<T> call(target, products[0]);
    calls[call.form()].push_back(call);
  }
  if (calls.empty()) return;
  std::vector<const T*> place;
  for (const auto& [form, same] : calls) {
    for (const Call<T>& call : same) place.push_back(call.a.data);
    for (const Call<T>& call : same) place.push_back(call.b.data);
    for (const Call<T>& call : same) place.push_back(call.c);
  }
  auto* at = cuda_.scratch<const T*>(static_cast<int64_t>(place.size()));
  copy_to_device(cuda_, place.data(), place.size() * sizeof(T*), at);
  for (const auto& [form, same] : calls) {
    const auto size = static_cast<int>(same.size());
    const Batch<T> batch{at, at + size, const_cast<T* const*>(at + 2 * size), size};
    at += 3 * size;
    run(cuda_, handle_, same[0], batch);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                 \
  template void Gemm::multiply<T>(const Target<T>&, const Product<T>&) const; \
  template void Gemm::multiply<T>(const std::vector<Multiplication<T>>&) const;
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
