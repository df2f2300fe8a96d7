// Sums with gates and their tangents; see gated_sum.h and sum_kernel.h.
#include "core/cuda/gated_sum.h"
#include "core/cuda/sum_kernel.h"

namespace deeptf {
namespace {

template <class T>
struct GatedSums : Sums<T, 4> {
  using Term = Gated<T, deeptf::Term<T, 4>>;

  __device__ int32_t set_term(const Slice& slice, int32_t k, Term* term) const {
    term->set_gate(gates, slice.block, slice.begin + k, k == slice.count);
    return Sums<T, 4>::set_term(slice, k, term);
  }
  template <int kCount>
  __device__ LaneGate<T, kCount> gate() const {
    return {gates.gate, this->table.width};
  }

  Gates<T> gates;
};

template <class T>
struct GatedTangents {
  using Term = GatedTangentTerm<T>;
  static constexpr bool kWithEmpty = false;

  __device__ int32_t set_term(const Slice& slice, int32_t k, Term* term) const {
    const int64_t pair = slice.begin + k;
    const Interval at = place_of(table.segments, slice.curve, rows[pair * 4]).interval;
    term->set_place(at);
    term->set_gate(gates, slice.block, pair, false);
    term->set_direction(rows, direction, pair);
    return static_cast<int32_t>(table.place(at.node));
  }
  template <int kCount>
  __device__ LaneGate<T, kCount> gate() const {
    return {gates.gate, table.width};
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  Gates<T> gates;
  const double* rows;
  GatedDirection direction;
};

}  // namespace

template <class T>
void gated_sum(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Cuda& cuda, const double* rows, T* sum, const OutsidePairs& outside) {
  launch_sum_and_outside(GatedSums<T>{{pairs, table, rows, {outside, nullptr}}, gates}, cuda, sum);
}

template <class T>
void gated_sum_tangent(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Cuda& cuda, const double* rows, const GatedDirection& direction,
                       T* tangent) {
  launch_sum(GatedTangents<T>{pairs, table, gates, rows, direction}, cuda, tangent);
}

#define DEEPTF_INSTANTIATE(T)                                                                   \
  template void gated_sum<T>(const PlacedPairs&, const CurveTable<T>&, const Gates<T>&,         \
                             const Cuda&, const double*, T*, const OutsidePairs&);              \
  template void gated_sum_tangent<T>(const PlacedPairs&, const CurveTable<T>&, const Gates<T>&, \
                                     const Cuda&, const double*, const GatedDirection&, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
