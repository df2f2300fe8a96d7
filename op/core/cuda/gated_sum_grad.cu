// The gradients to rows and shares; see gated_sum.h and grad_kernel.h.
#include "core/cuda/gated_sum.h"
#include "core/cuda/grad_kernel.h"

namespace deeptf {
namespace {

template <class T>
struct GatedRowsGrad : RowsGrad<T, 4> {
  using Term = Gated<T, SlopeTerm<T, 4>>;
  static constexpr int kSums = 8;  // a power of two; five are used
  static constexpr bool kGated = true;

  __device__ int32_t set_term(const Slice& slice, int32_t k, Term* term) const {
    term->set_gate(gates, slice.block, slice.begin + k, false);
    return RowsGrad<T, 4>::set_term(slice, k, term);
  }
  template <int kCount>
  __device__ LaneGate<T, kCount> gate() const {
    return {gates.gate, this->table.width};
  }
  __device__ void set_grad(int64_t pair, int sum, T value) const {
    RowsGrad<T, 4>::set_grad(pair, sum, value);
    if (sum == 4 && share_grad != nullptr) share_grad[pair] = value;
  }
  __device__ void set_unused(int64_t pair) const {
    RowsGrad<T, 4>::set_unused(pair);
    if (share_grad != nullptr) share_grad[pair] = 0;
  }

  Gates<T> gates;
  double* share_grad;  // or null
};

}  // namespace

template <class T>
void gated_sum_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                    const Cuda& cuda, const double* rows, const T* upper, double* rows_grad,
                    double* share_grad) {
  double* shares = gates.share == nullptr ? nullptr : share_grad;
  launch_grad<T>(GatedRowsGrad<T>{{pairs, table, rows, upper, rows_grad}, gates, shares}, cuda);
}

#define DEEPTF_INSTANTIATE(T)                                                                \
  template void gated_sum_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Gates<T>&, \
                                  const Cuda&, const double*, const T*, double*, double*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
