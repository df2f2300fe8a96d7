// Sums and tangents; see embedding_sum.h and sum_kernel.h.
#include "core/cuda/embedding_sum.h"
#include "core/cuda/sum_kernel.h"

namespace deeptf {

template <class T>
void embedding_sum(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                   const double* rows, T* sum, const OutsidePairs& outside) {
  if (pairs.columns == 1) {
    launch_sum_and_outside(Sums<T, 1>{pairs, table, rows, {outside, nullptr}}, cuda, sum);
  } else {
    launch_sum_and_outside(Sums<T, 4>{pairs, table, rows, {outside, nullptr}}, cuda, sum);
  }
}

template <class T>
void embedding_sum_tangent(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                           const double* rows, const double* direction, T* tangent) {
  if (pairs.columns == 1) {
    launch_sum(Tangents<T, 1>{pairs, table, rows, direction}, cuda, tangent);
  } else {
    launch_sum(Tangents<T, 4>{pairs, table, rows, direction}, cuda, tangent);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                   \
  template void embedding_sum<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&,         \
                                 const double*, T*, const OutsidePairs&);                       \
  template void embedding_sum_tangent<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&, \
                                         const double*, const double*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
