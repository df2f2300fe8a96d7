// The gradient to the rows; see embedding_sum.h and grad_kernel.h.
#include "core/cuda/embedding_sum.h"
#include "core/cuda/grad_kernel.h"

namespace deeptf {

template <class T>
void embedding_sum_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                        const double* rows, const T* upper, double* rows_grad) {
  if (pairs.columns == 1) {
    launch_grad<T>(RowsGrad<T, 1>{pairs, table, rows, upper, rows_grad}, cuda);
  } else {
    launch_grad<T>(RowsGrad<T, 4>{pairs, table, rows, upper, rows_grad}, cuda);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                \
  template void embedding_sum_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&, \
                                      const double*, const T*, double*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
