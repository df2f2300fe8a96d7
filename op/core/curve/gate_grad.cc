// The gradients to gates, threaded over runs of the atoms of a block; see gated_sum.h. Bits do not
// depend on threads.
#include <algorithm>
#include <vector>

#include "core/base/scratch.h"
#include "core/curve/entries.h"
#include "core/curve/gated_terms.h"

namespace deeptf {
namespace {

constexpr int W = kGatedColumns;
constexpr int64_t kRun = 64;  // atoms of a block that add to one row

// Adds what one pair gives to its gate.
template <class T, bool kTangent>
void add_to_gate(const GatedTerm<T>& term, int64_t padded, const T* upper, T* gate) {
  for (int64_t start = 0; start < padded; start += kLane<T>) {
    Lane<T> g, d, mixed = {}, turned = {};
    value_and_slope(term, padded, start, &g, &d);
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      Lane<T> y = load(upper + w * padded + start);
      hold(y);
      mixed += term.weight[w] * y;
      if constexpr (kTangent) turned += term.direction[w] * y;
    }
    Lane<T> sum = load(gate + start);
    if constexpr (kTangent) {
      sum += term.share * (g * turned + term.direction[0] * d * mixed);
      sum += term.along_share * g * mixed;
    } else {
      sum += term.share * g * mixed;
    }
    store(gate + start, sum);
  }
}

// Some atoms of one type and the block of their pairs with neighbours of type t.
struct Run {
  int64_t block, t, begin, end;
};

std::vector<Run> runs_of(const CurvePairs& pairs) {
  std::vector<Run> runs;
  for (int64_t t = 0; t < pairs.num_types; ++t) {
    for (int64_t c = 0, first = 0; c < pairs.num_types; ++c) {
      const int64_t end = first + pairs.atom_count[c];
      for (; first < end; first += kRun) {
        runs.push_back({t * pairs.num_types + c, t, first, std::min(first + kRun, end)});
      }
      first = end;
    }
  }
  return runs;
}

template <class T, bool kTangent>
void gate_gradient(const GatedNumbers<T>& of, const Context& context,
                   const GatedDirection& direction, const T* upper, T* gate_grad) {
  const int64_t width = of.table.width, padded = padded_width<T>(width);
  const Scratch<T> y = padded_rows<W>(of.pairs, width, context, upper);
  const std::vector<Run> runs = runs_of(of.pairs);
  Scratch<T> sums(static_cast<int64_t>(runs.size()) * padded);
  const int64_t share = of.pairs.num_pairs / std::max<int64_t>(1, runs.size());
  context.parallel(runs.size(), 100 + share * padded * 4, [&](int64_t begin, int64_t end) {
    GatedTerm<T> term;
    for (int64_t k = begin; k < end; ++k) {
      std::fill_n(sums.data() + k * padded, padded, T(0));
      for (int64_t atom = runs[k].begin; atom < runs[k].end; ++atom) {
        of.over_pairs(atom, runs[k].t, [&](int32_t curve, const T* gate, int64_t pair) {
          of.set(pair, curve, gate, &term);
          if constexpr (kTangent) of.set_direction(direction, pair, &term);
          const T* of_atom = y.data() + atom * W * padded;
          add_to_gate<T, kTangent>(term, padded, of_atom, sums.data() + k * padded);
        });
      }
    }
  });
  std::fill_n(gate_grad, of.pairs.num_types * of.pairs.num_types * width, T(0));
  for (size_t k = 0; k < runs.size(); ++k) {
    T* to = gate_grad + runs[k].block * width;
    for (int64_t m = 0; m < width; ++m) to[m] += sums[k * padded + m];
  }
}

}  // namespace

template <class T>
void gate_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Context& context, const double* rows, const T* upper, T* gate_grad) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded(pairs, table.width, gates, context);
  const GatedNumbers<T> of{pairs, table, padded, layout, rows};
  gate_gradient<T, false>(of, context, {}, upper, gate_grad);
}

template <class T>
void gate_tangent_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Context& context, const double* rows, const GatedDirection& direction,
                       const T* upper, T* gate_grad) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded(pairs, table.width, gates, context);
  const GatedNumbers<T> of{pairs, table, padded, layout, rows};
  gate_gradient<T, true>(of, context, direction, upper, gate_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void gate_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,         \
                             const Context&, const double*, const T*, T*);                     \
  template void gate_tangent_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&, \
                                     const Context&, const double*, const GatedDirection&,     \
                                     const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
