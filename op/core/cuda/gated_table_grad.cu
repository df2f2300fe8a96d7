// The gradients to a table with gates; see gated_sum.h and table_grad_kernel.h.
#include "core/cuda/gated_sum.h"
#include "core/cuda/table_grad_kernel.h"

namespace deeptf {
namespace {

template <class T>
struct GatedTableGrad : TableGrad<T, 4> {
  using Term = Gated<T, deeptf::Term<T, 4>>;

  __device__ void set_term(int32_t number, Term* term) const {
    const int32_t block = this->sorted.entries[number].block;
    term->set_gate(gates, block, number, number >= this->pairs.num_pairs);
    TableGrad<T, 4>::set_term(number, term);
  }
  template <int kCount>
  __device__ LaneGate<T, kCount> gate() const {
    return {gates.gate, this->table.width};
  }

  Gates<T> gates;
};

template <class T>
struct GatedTangentTableGrad {
  using Term = GatedTangentTerm<T>;
  static constexpr bool kWithEmpty = false;

  __device__ void set_term(int32_t number, Term* term) const {
    const Entry& entry = sorted.entries[number];
    term->set_place({0, entry.u, entry.inverse_step});
    term->set_gate(gates, entry.block, number, false);
    term->set_direction(rows, direction, number);
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
  const T* upper;
  SortedEntries sorted;
};

}  // namespace

template <class T>
void gated_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                      const Cuda& cuda, const double* rows, const T* upper, T* nodes_grad) {
  launch_table_grad(GatedTableGrad<T>{{pairs, table, rows, upper, {}}, gates}, cuda, nodes_grad);
}

template <class T>
void gated_tangent_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table,
                              const Gates<T>& gates, const Cuda& cuda, const double* rows,
                              const GatedDirection& direction, const T* upper, T* nodes_grad) {
  const GatedTangentTableGrad<T> in{pairs, table, gates, rows, direction, upper, {}};
  launch_table_grad(in, cuda, nodes_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void gated_table_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Gates<T>&, \
                                    const Cuda&, const double*, const T*, T*);                 \
  template void gated_tangent_table_grad<T>(const PlacedPairs&, const CurveTable<T>&,          \
                                            const Gates<T>&, const Cuda&, const double*,       \
                                            const GatedDirection&, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
