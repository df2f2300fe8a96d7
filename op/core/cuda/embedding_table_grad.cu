// The gradients to a table; see embedding_sum.h and table_grad_kernel.h.
#include "core/cuda/embedding_sum.h"
#include "core/cuda/table_grad_kernel.h"

namespace deeptf {

template <class T>
void embedding_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                          const double* rows, const T* upper, T* nodes_grad) {
  if (pairs.columns == 1) {
    launch_table_grad(TableGrad<T, 1>{pairs, table, rows, upper, {}}, cuda, nodes_grad);
  } else {
    launch_table_grad(TableGrad<T, 4>{pairs, table, rows, upper, {}}, cuda, nodes_grad);
  }
}

template <class T>
void embedding_tangent_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table,
                                  const Cuda& cuda, const double* rows, const double* direction,
                                  const T* upper, T* nodes_grad) {
  if (pairs.columns == 1) {
    const TangentTableGrad<T, 1> in{pairs, table, rows, direction, upper, {}};
    launch_table_grad(in, cuda, nodes_grad);
  } else {
    const TangentTableGrad<T, 4> in{pairs, table, rows, direction, upper, {}};
    launch_table_grad(in, cuda, nodes_grad);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void embedding_table_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&, \
                                        const double*, const T*, T*);                          \
  template void embedding_tangent_table_grad<T>(const PlacedPairs&, const CurveTable<T>&,      \
                                                const Cuda&, const double*, const double*,     \
                                                const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
