// The sums, their tangents and the gradients to rows, shares and gates; see gated_sum.h. Sums are
// threaded over atoms, gradients to gates over runs of the atoms of a block; bits do not depend on
// threads.
#include "core/curve/gated_sum.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/lane.h"
#include "core/curve/entries.h"
#include "core/curve/layout.h"
#include "core/curve/padded_gates.h"
#include "core/curve/terms.h"

namespace deeptf {
namespace {

constexpr int W = kGatedColumns;
constexpr int kBlock = kMaxBlock > 3 ? 3 : kMaxBlock;  // lanes; values and slopes together
constexpr int64_t kRun = 64;                           // atoms of a block that add to one row

template <class T>
struct Term {
  Term() {}  // no zeros: one is made for every pair
  const T *nodes, *gate;
  T value[4], derivative[4], weight[W], share;
  T direction[W], along_share;  // of tangents
};

template <class T>
struct Numbers {
  const CurvePairs& pairs;
  const CurveTable<T>& table;
  const PaddedGates<T>& gates;
  const Layout& layout;
  const double* rows;

  // All but the direction of the term of a pair.
  void set(int64_t pair, int32_t curve, const T* gate, Term<T>* term) const {
    set_place(layout.interval(curve, rows[pair * W]), table, term);
    set_weight<W>(rows + pair * W, term->weight);
    term->gate = gate;
    term->share = gates.share(pair);
  }
  void set_direction(const GatedDirection& direction, int64_t pair, Term<T>* term) const {
    std::copy_n(direction.rows + pair * W, W, term->direction);
    term->along_share = static_cast<T>(direction.share_of(pair));
  }
  // Calls body(t, curve, gate, pair) for the pairs of an atom with neighbours of type t that count.
  template <class Body>
  void over_pairs(int64_t atom, int64_t t, const Body& body) const {
    const int32_t curve = layout.curve(atom, t);
    if (curve < 0) return;
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    const T* gate = gates.of_block(layout.block(atom, t));
    for (int64_t pair = begin; pair < end; ++pair) body(curve, gate, pair);
  }
};

template <class T>
void atom_terms(const Numbers<T>& of, int64_t atom, std::vector<Term<T>>* terms,
                Findings* findings) {
  terms->clear();
  for (int64_t t = 0; t < of.pairs.num_types; ++t) {
    of.over_pairs(atom, t, [&](int32_t curve, const T* gate, int64_t pair) {
      const double* row = of.rows + pair * W;
      if (!is_finite<W>(row)) findings->not_finite.report(pair);
      if (row[0] > of.layout.limit(curve)) {
        findings->note(of.layout.block(atom, t), pair, row[0]);
      }
      if (!of.table.holds(of.layout.interval(curve, row[0]).node)) {
        findings->without_nodes.report(pair);
      }
      of.set(pair, curve, gate, &terms->emplace_back());
    });
    const int32_t curve = of.layout.curve(atom, t);
    if (curve < 0 || of.layout.empty_weight(atom, t) == 0) continue;
    Term<T>& term = terms->emplace_back();
    set_place(of.layout.interval(curve, of.layout.empty_x(atom, t)), of.table, &term);
    std::fill_n(term.weight, W, T(0));
    term.weight[0] = static_cast<T>(of.layout.empty_weight(atom, t));
    term.gate = of.gates.none();
    term.share = 0;
  }
}

template <class T>
void atom_tangent_terms(const Numbers<T>& of, const GatedDirection& direction, int64_t atom,
                        std::vector<Term<T>>* terms) {
  terms->clear();
  for (int64_t t = 0; t < of.pairs.num_types; ++t) {
    of.over_pairs(atom, t, [&](int32_t curve, const T* gate, int64_t pair) {
      Term<T>& term = terms->emplace_back();
      of.set(pair, curve, gate, &term);
      of.set_direction(direction, pair, &term);
    });
  }
}

// g and g' of a lane of numbers.
template <class T>
inline void value_and_slope(const Term<T>& term, int64_t stride, int64_t start, Lane<T>* g,
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

// sum[w, 0 : B lanes] over the terms of one atom; rows of `sum` are `stride` apart, like those of
// nodes.
template <class T, int B, bool kTangent>
void sum_block(const std::vector<Term<T>>& terms, int64_t stride, int64_t start, T* sum) {
  Lane<T> total[W][B] = {};
  const auto add = [&](const T* weight, const Lane<T>* g) {
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      Lane<T> factor = broadcast(weight[w]);
      hold(factor);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) total[w][b] += factor * g[b];
    }
  };
  for (const Term<T>& term : terms) {
    Lane<T> g[B], along[B];
    if constexpr (!kTangent) {
      interpolate<T, B, false>(term.nodes + start, stride, term.value, g);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        g[b] += (term.share * g[b]) * load(term.gate + start + b * kLane<T>);
      }
      add(term.weight, g);
    } else {
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        Lane<T> d;
        value_and_slope(term, stride, start + b * kLane<T>, &g[b], &d);
        const Lane<T> h = load(term.gate + start + b * kLane<T>);
        const Lane<T> a = T(1) + term.share * h;
        along[b] = term.direction[0] * d * a + term.along_share * h * g[b];
        g[b] *= a;
      }
      add(term.direction, g);
      add(term.weight, along);
    }
  }
#pragma GCC unroll 4
  for (int w = 0; w < W; ++w) {
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) store(sum + w * stride + start + b * kLane<T>, total[w][b]);
  }
}

// All columns of the sums of one atom, into out [W, M].
template <class T, bool kTangent>
void sum_terms(const std::vector<Term<T>>& terms, int64_t width, std::vector<T>* scratch, T* out) {
  constexpr int kMost = kTangent ? kBlock : kMaxBlock;
  const int64_t padded = padded_width<T>(width), lanes = padded / kLane<T>;
  scratch->resize(W * padded);
  const int64_t blocks = (lanes + kMost - 1) / kMost;
  for (int64_t k = 0; k < blocks; ++k) {
    const int64_t first = lanes * k / blocks;
    with_constant<kMost>(lanes * (k + 1) / blocks - first, [&](auto number) {
      sum_block<T, number(), kTangent>(terms, padded, first * kLane<T>, scratch->data());
    });
  }
  for (int w = 0; w < W; ++w) std::copy_n(scratch->data() + w * padded, width, out + w * width);
}

// r [W] and q of one pair from the padded upper of its atom.
template <class T>
void pair_grad(const Term<T>& term, int64_t padded, const T* upper, double* row, double* share) {
  constexpr int kSums = kLane<T> > 8 ? 16 : 8;  // a multiple of the lane; six are used
  Lane<T> total[kSums] = {};
  for (int64_t start = 0; start < padded; start += kLane<T>) {
    Lane<T> g, d, mixed = {};
    value_and_slope(term, padded, start, &g, &d);
    const Lane<T> h = load(term.gate + start), a = T(1) + term.share * h, ga = g * a;
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      Lane<T> y = load(upper + w * padded + start);
      hold(y);
      total[w] += ga * y;
      mixed += term.weight[w] * y;
    }
    total[W] += d * a * mixed;
    total[W + 1] += g * h * mixed;
  }
  T sums[kSums];
  for (int k = 0; k < kSums; k += kLane<T>) store(sums + k, sums_of<T>(total + k));
  for (int w = 0; w < W; ++w) row[w] = sums[w];
  row[0] += sums[W];
  if (share != nullptr) *share = sums[W + 1];
}

// Adds what one pair gives to its gate.
template <class T, bool kTangent>
void add_to_gate(const Term<T>& term, int64_t padded, const T* upper, T* gate) {
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
void gate_gradient(const Numbers<T>& of, const Context& context, const GatedDirection& direction,
                   const T* upper, T* gate_grad) {
  const int64_t width = of.table.width, padded = padded_width<T>(width);
  const Scratch<T> y = padded_rows<W>(of.pairs, width, context, upper);
  const std::vector<Run> runs = runs_of(of.pairs);
  Scratch<T> sums(static_cast<int64_t>(runs.size()) * padded);
  const int64_t share = of.pairs.num_pairs / std::max<int64_t>(1, runs.size());
  context.parallel(runs.size(), 100 + share * padded * 4, [&](int64_t begin, int64_t end) {
    Term<T> term;
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

void check_gated(const CurvePairs& pairs) {
  if (pairs.columns != W) {
    throw Error("`rows` must have 4 columns where there are gates, got " +
                std::to_string(pairs.columns));
  }
}

template <class T>
void gated_sum(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Context& context, const double* rows, T* sum, const OutsidePairs& outside) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded(pairs, table.width, gates, context);
  const Numbers<T> of{pairs, table, padded, layout, rows};
  Findings findings(pairs.num_types, outside);
  over_atoms(pairs, table.width, context, [&] {
    return [&, terms = std::vector<Term<T>>(), scratch = std::vector<T>()](int64_t atom) mutable {
      atom_terms(of, atom, &terms, &findings);
      sum_terms<T, false>(terms, table.width, &scratch, sum + atom * W * table.width);
    };
  });
  findings.check(pairs, rows);
}

template <class T>
void gated_sum_tangent(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Context& context, const double* rows, const GatedDirection& direction,
                       T* tangent) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded(pairs, table.width, gates, context);
  const Numbers<T> of{pairs, table, padded, layout, rows};
  over_atoms(pairs, table.width, context, [&] {
    return [&, terms = std::vector<Term<T>>(), scratch = std::vector<T>()](int64_t atom) mutable {
      atom_tangent_terms(of, direction, atom, &terms);
      sum_terms<T, true>(terms, table.width, &scratch, tangent + atom * W * table.width);
    };
  });
}

template <class T>
void gated_sum_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                    const Context& context, const double* rows, const T* upper, double* rows_grad,
                    double* share_grad) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded_gates(pairs, table.width, gates, context);
  const Numbers<T> of{pairs, table, padded_gates, layout, rows};
  const int64_t padded = padded_width<T>(table.width);
  if (gates.share == nullptr) share_grad = nullptr;
  over_atoms(pairs, table.width, context, [&] {
    return [&, y = std::vector<T>(W * padded), term = Term<T>()](int64_t atom) mutable {
      pad_rows<W>(upper + atom * W * table.width, table.width, y.data());
      for (int64_t t = 0; t < pairs.num_types; ++t) {
        const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
        if (layout.curve(atom, t) < 0) {
          std::fill(rows_grad + begin * W, rows_grad + end * W, 0.0);
          if (share_grad != nullptr) std::fill(share_grad + begin, share_grad + end, 0.0);
        }
        of.over_pairs(atom, t, [&](int32_t curve, const T* gate, int64_t pair) {
          of.set(pair, curve, gate, &term);
          double* share = share_grad == nullptr ? nullptr : share_grad + pair;
          pair_grad(term, padded, y.data(), rows_grad + pair * W, share);
        });
      }
    };
  });
}

template <class T>
void gate_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Context& context, const double* rows, const T* upper, T* gate_grad) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded(pairs, table.width, gates, context);
  const Numbers<T> of{pairs, table, padded, layout, rows};
  gate_gradient<T, false>(of, context, {}, upper, gate_grad);
}

template <class T>
void gate_tangent_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Context& context, const double* rows, const GatedDirection& direction,
                       const T* upper, T* gate_grad) {
  const Layout layout(pairs, table.segments);
  const PaddedGates<T> padded(pairs, table.width, gates, context);
  const Numbers<T> of{pairs, table, padded, layout, rows};
  gate_gradient<T, true>(of, context, direction, upper, gate_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                   \
  template void gated_sum<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,          \
                             const Context&, const double*, T*, const OutsidePairs&);           \
  template void gated_sum_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,     \
                                  const Context&, const double*, const T*, double*, double*);   \
  template void gated_sum_tangent<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,  \
                                     const Context&, const double*, const GatedDirection&, T*); \
  template void gate_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,          \
                             const Context&, const double*, const T*, T*);                      \
  template void gate_tangent_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,  \
                                     const Context&, const double*, const GatedDirection&,      \
                                     const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
