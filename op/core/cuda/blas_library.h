// cuBLAS, opened when it is first needed: TensorFlow brings one of its versions, so none is linked.
#pragma once

#include <string>
#include <vector>

namespace deeptf {

// Names that the library has had, newest first.
std::vector<std::string> blas_names();

// The one of these libraries that is loaded already, or else the first that can be; never closed.
// Throws Error without any.
void* open_blas(const std::vector<std::string>& names);

// The functions that we call, as cublas_v2.h declares them; 0 is success. An operation is 0 for a
// matrix as it is, 1 for its transposed.
struct BlasFunctions {
  using Handle = void*;
  template <class T>
  using Gemm = int (*)(Handle, int operation_a, int operation_b, int m, int n, int k,
                       const T* alpha, const T* a, int lda, const T* b, int ldb, const T* beta,
                       T* c, int ldc);
  template <class T>
  using GemmBatched = int (*)(Handle, int operation_a, int operation_b, int m, int n, int k,
                              const T* alpha, const T* const* a, int lda, const T* const* b,
                              int ldb, const T* beta, T* const* c, int ldc, int number);

  int (*create)(Handle*);
  int (*set_stream)(Handle, void* stream);
  int (*set_workspace)(Handle, void* memory, size_t bytes);
  const char* (*status_string)(int);
  Gemm<float> sgemm;
  Gemm<double> dgemm;
  GemmBatched<float> sgemm_batched;
  GemmBatched<double> dgemm_batched;

  const Gemm<float>& gemm(float) const { return sgemm; }
  const Gemm<double>& gemm(double) const { return dgemm; }
  const GemmBatched<float>& gemm_batched(float) const { return sgemm_batched; }
  const GemmBatched<double>& gemm_batched(double) const { return dgemm_batched; }
};

// Throws Error where the library lacks one of them.
BlasFunctions blas_functions(void* library);

}  // namespace deeptf
