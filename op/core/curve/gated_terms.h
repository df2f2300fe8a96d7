// What pairs give to the sums with gates (gated_sum.h): numbers of each pair, values and slopes.
#pragma once

#include <algorithm>

#include "core/base/lane.h"
#include "core/curve/gated_sum.h"
#include "core/curve/layout.h"
#include "core/curve/padded_gates.h"
#include "core/curve/terms.h"

namespace deeptf {

template <class T>
struct GatedTerm {
  GatedTerm() {}  // no zeros: one is made for every pair
  const T *nodes, *gate;
  T value[4], derivative[4], weight[kGatedColumns], share;
  T direction[kGatedColumns], along_share;  // of tangents
};

template <class T>
struct GatedNumbers {
  const CurvePairs& pairs;
  const CurveTable<T>& table;
  const PaddedGates<T>& gates;
  const Layout& layout;
  const double* rows;

  // All but the direction of the term of a pair.
  void set(int64_t pair, int32_t curve, const T* gate, GatedTerm<T>* term) const {
    set_place(layout.interval(curve, rows[pair * kGatedColumns]), table, term);
    set_weight<kGatedColumns>(rows + pair * kGatedColumns, term->weight);
    term->gate = gate;
    term->share = gates.share(pair);
  }
  void set_direction(const GatedDirection& direction, int64_t pair, GatedTerm<T>* term) const {
    std::copy_n(direction.rows + pair * kGatedColumns, kGatedColumns, term->direction);
    term->along_share = static_cast<T>(direction.share_of(pair));
  }
  // Calls body(curve, gate, pair) for the pairs of an atom with neighbours of type t that count.
  template <class Body>
  void over_pairs(int64_t atom, int64_t t, const Body& body) const {
    const int32_t curve = layout.curve(atom, t);
    if (curve < 0) return;
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    const T* gate = gates.of_block(layout.block(atom, t));
    for (int64_t pair = begin; pair < end; ++pair) body(curve, gate, pair);
  }
};

// g and g' of a lane of numbers.
template <class T>
inline void value_and_slope(const GatedTerm<T>& term, int64_t stride, int64_t start, Lane<T>* g,
                            Lane<T>* d) {
  const T* node = term.nodes + start;
  *g = kRise<T> ? load(node) : term.value[0] * load(node);  // see interpolate
  *d = term.derivative[1] * load(node + stride);
  if constexpr (!kRise<T>) *d += term.derivative[0] * load(node);
  *g += term.value[1] * load(node + stride);
#pragma GCC unroll 2
  for (int i = 2; i < 4; ++i) {
    const Lane<T> n = load(node + i * stride);
    *g += term.value[i] * n;
    *d += term.derivative[i] * n;
  }
}

}  // namespace deeptf
