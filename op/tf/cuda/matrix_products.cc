// GPU kernels of the op in tf/matrix_products.cc.
#include "tf/matrix_products.h"

#include "core/cuda/gemm.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

template <class T>
void multiply_all(const Cuda& cuda, const std::vector<Multiplication<T>>& all) {
  Gemm(cuda).multiply(all);
}

DEEPTF_GPU_KERNELS("MatrixProducts", TransposedFactors, products_of_matrices);

}  // namespace deeptf
