// The sums, their tangents and the gradients to rows and shares, threaded over atoms; see
// gated_sum.h. Bits do not depend on threads.
#include "core/curve/gated_sum.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/curve/entries.h"
#include "core/curve/gated_terms.h"

namespace deeptf {
namespace {

constexpr int W = kGatedColumns;
constexpr int kBlock = kMaxBlock > 3 ? 3 : kMaxBlock;  // lanes; values and slopes together

template <class T>
void atom_terms(const GatedNumbers<T>& of, int64_t atom, std::vector<GatedTerm<T>>* terms,
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
    GatedTerm<T>& term = terms->emplace_back();
    set_place(of.layout.interval(curve, of.layout.empty_x(atom, t)), of.table, &term);
    std::fill_n(term.weight, W, T(0));
    term.weight[0] = static_cast<T>(of.layout.empty_weight(atom, t));
    term.gate = of.gates.none();
    term.share = 0;
  }
}

template <class T>
void atom_tangent_terms(const GatedNumbers<T>& of, const GatedDirection& direction, int64_t atom,
                        std::vector<GatedTerm<T>>* terms) {
  terms->clear();
  for (int64_t t = 0; t < of.pairs.num_types; ++t) {
    of.over_pairs(atom, t, [&](int32_t curve, const T* gate, int64_t pair) {
      GatedTerm<T>& term = terms->emplace_back();
      of.set(pair, curve, gate, &term);
      of.set_direction(direction, pair, &term);
    });
  }
}

// sum[w, 0 : B lanes] over the terms of one atom; rows of `sum` are `stride` apart, like those of
// nodes.
template <class T, int B, bool kTangent>
void sum_block(const std::vector<GatedTerm<T>>& terms, int64_t stride, int64_t start, T* sum) {
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
  for (const GatedTerm<T>& term : terms) {
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
void sum_terms(const std::vector<GatedTerm<T>>& terms, int64_t width, std::vector<T>* scratch,
               T* out) {
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
void pair_grad(const GatedTerm<T>& term, int64_t padded, const T* upper, double* row,
               double* share) {
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
  const GatedNumbers<T> of{pairs, table, padded, layout, rows};
  Findings findings(pairs.num_types, outside);
  over_atoms(pairs, table.width, context, [&] {
    return
        [&, terms = std::vector<GatedTerm<T>>(), scratch = std::vector<T>()](int64_t atom) mutable {
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
  const GatedNumbers<T> of{pairs, table, padded, layout, rows};
  over_atoms(pairs, table.width, context, [&] {
    return
        [&, terms = std::vector<GatedTerm<T>>(), scratch = std::vector<T>()](int64_t atom) mutable {
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
  const GatedNumbers<T> of{pairs, table, padded_gates, layout, rows};
  const int64_t padded = padded_width<T>(table.width);
  if (gates.share == nullptr) share_grad = nullptr;
  over_atoms(pairs, table.width, context, [&] {
    return [&, y = std::vector<T>(W * padded), term = GatedTerm<T>()](int64_t atom) mutable {
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

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void gated_sum<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,         \
                             const Context&, const double*, T*, const OutsidePairs&);          \
  template void gated_sum_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&,    \
                                  const Context&, const double*, const T*, double*, double*);  \
  template void gated_sum_tangent<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&, \
                                     const Context&, const double*, const GatedDirection&, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
