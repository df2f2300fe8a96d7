// The sums, their tangents and the gradients to the rows; see sum.h. Threaded over atoms;
// an atom adds its pairs in one order, so that bits do not depend on threads.
#include "core/curve/sum.h"

#include <algorithm>
#include <vector>

#include "core/base/lane.h"
#include "core/curve/layout.h"
#include "core/curve/terms.h"

namespace deeptf {
namespace {

// What a term adds to the sums of an atom: weight (x) G + slope_weight (x) G'.
template <class T, int W>
struct Term {
  Term() {}  // no zeros: one is made for every pair
  const T* nodes;
  T value[4], derivative[4];  // written where they are read: a copy would wait for single stores
  T weight[W], slope_weight[W];
};

// The terms of T of one atom: its pairs, and its empty places.
template <class T, int W>
void atom_terms(const Layout& layout, const CurveTable<T>& table, int64_t types, const double* rows,
                int64_t atom, std::vector<Term<T, W>>* terms, Findings* findings) {
  terms->clear();
  for (int64_t t = 0; t < types; ++t) {
    const int32_t curve = layout.curve(atom, t);
    if (curve < 0) continue;
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    const double limit = layout.limit(curve);
    for (int64_t pair = begin; pair < end; ++pair) {
      const double* row = rows + pair * W;
      if (!is_finite<W>(row)) findings->not_finite.report(pair);
      if (row[0] > limit) findings->note(layout.block(atom, t), pair, row[0]);
      const Interval interval = layout.interval(curve, row[0]);
      if (!table.holds(interval.node)) findings->without_nodes.report(pair);
      Term<T, W>& term = terms->emplace_back();
      set_place(interval, table, &term);
      set_weight<W>(row, term.weight);
    }
    if (layout.empty_weight(atom, t) != 0) {
      Term<T, W>& term = terms->emplace_back();
      set_place(layout.interval(curve, layout.empty_x(atom, t)), table, &term);
      std::fill_n(term.weight, W, T(0));
      term.weight[0] = static_cast<T>(layout.empty_weight(atom, t));
    }
  }
}

// The terms of T' of one atom.
template <class T, int W>
void atom_tangent_terms(const Layout& layout, const CurveTable<T>& table, int64_t types,
                        const double* rows, const double* direction, int64_t atom,
                        std::vector<Term<T, W>>* terms) {
  terms->clear();
  for (int64_t t = 0; t < types; ++t) {
    const int32_t curve = layout.curve(atom, t);
    if (curve < 0) continue;
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    for (int64_t pair = begin; pair < end; ++pair) {
      const double *row = rows + pair * W, *a = direction + pair * W;
      Term<T, W>& term = terms->emplace_back();
      set_place(layout.interval(curve, row[0]), table, &term);
      set_weight<W>(row, term.slope_weight);
      for (int w = 0; w < W; ++w) {
        term.weight[w] = static_cast<T>(a[w]);
        term.slope_weight[w] *= static_cast<T>(a[0]);
      }
    }
  }
}

// sum[w, 0 : B lanes] over the terms of one atom; rows of `sum` are `stride` apart.
template <class T, int W, int B, bool kTangent>
void sum_block(const std::vector<Term<T, W>>& terms, int64_t node_stride, int64_t start, T* sum,
               int64_t stride) {
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
  for (const Term<T, W>& term : terms) {
    Lane<T> g[B];
    if constexpr (W > 1 || !kTangent) {  // the weight of a radial pair is 1
      interpolate<T, B, false>(term.nodes + start, node_stride, term.value, g);
      add(term.weight, g);
    }
    if constexpr (kTangent) {
      interpolate<T, B, true>(term.nodes + start, node_stride, term.derivative, g);
      add(term.slope_weight, g);
    }
  }
#pragma GCC unroll 4
  for (int w = 0; w < W; ++w) {
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) store(sum + w * stride + b * kLane<T>, total[w][b]);
  }
}

// All columns of the sums of one atom, into out [W, M].
template <class T, int W, bool kTangent>
void sum_terms(const std::vector<Term<T, W>>& terms, int64_t width, std::vector<T>* scratch,
               T* out) {
  const int64_t padded = padded_width<T>(width), lanes = padded / kLane<T>;
  scratch->resize(W * padded);
  const int64_t blocks = (lanes + kMaxBlock - 1) / kMaxBlock;
  for (int64_t k = 0; k < blocks; ++k) {
    const int64_t first = lanes * k / blocks, start = first * kLane<T>;
    with_constant<kMaxBlock>(lanes * (k + 1) / blocks - first, [&](auto number) {
      sum_block<T, W, number(), kTangent>(terms, padded, start, scratch->data() + start, padded);
    });
  }
  for (int w = 0; w < W; ++w) {
    std::copy_n(scratch->data() + w * padded, width, out + w * width);
  }
}

// r [W] of one pair from the padded upper of its atom.
template <class T, int W>
void row_grad(const Term<T, W>& term, int64_t padded, const T* upper, double* out) {
  static_assert(kLane<T> <= 16);
  constexpr int kSums = kLane<T> > 8 ? 16 : 8;  // a multiple of the lane; four or five are used
  constexpr int kSlope = kRise<T> ? 0 : W;      // in float32 with what it is added to in the end
  Lane<T> total[kSums] = {};
  for (int64_t start = 0; start < padded; start += kLane<T>) {
    const T* node = term.nodes + start;
    Lane<T> g = {}, d = {}, mixed = {};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      Lane<T> t = load(node + i * padded);
      hold(t);
      if (kRise<T> && i == 0) {
        g = t;  // see interpolate
        continue;
      }
      g += term.value[i] * t;
      d += term.derivative[i] * t;
    }
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
      Lane<T> y = load(upper + w * padded + start);
      hold(y);
      if constexpr (W > 1) total[w] += g * y;
      mixed += term.weight[w] * y;
    }
    total[kSlope] += d * mixed;
  }
  T sums[kSums];
  for (int k = 0; k < kSums; k += kLane<T>) store(sums + k, sums_of<T>(total + k));
  for (int w = 0; w < W; ++w) out[w] = sums[w];
  if constexpr (kSlope == W) out[0] += sums[W];
}

}  // namespace

template <class T>
void embedding_sum(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                   const double* rows, T* sum, const OutsidePairs& outside) {
  const Layout layout(pairs, table.segments);
  Findings findings(pairs.num_types, outside);
  with_columns(pairs, [&](auto columns) {
    constexpr int W = columns();
    over_atoms(pairs, table.width, context, [&] {
      return
          [&, terms = std::vector<Term<T, W>>(), scratch = std::vector<T>()](int64_t atom) mutable {
            atom_terms(layout, table, pairs.num_types, rows, atom, &terms, &findings);
            sum_terms<T, W, false>(terms, table.width, &scratch, sum + atom * W * table.width);
          };
    });
  });
  findings.check(pairs, rows);
}

template <class T>
void embedding_sum_tangent(const CurvePairs& pairs, const CurveTable<T>& table,
                           const Context& context, const double* rows, const double* direction,
                           T* tangent) {
  const Layout layout(pairs, table.segments);
  with_columns(pairs, [&](auto columns) {
    constexpr int W = columns();
    over_atoms(pairs, table.width, context, [&] {
      return
          [&, terms = std::vector<Term<T, W>>(), scratch = std::vector<T>()](int64_t atom) mutable {
            atom_tangent_terms(layout, table, pairs.num_types, rows, direction, atom, &terms);
            sum_terms<T, W, true>(terms, table.width, &scratch, tangent + atom * W * table.width);
          };
    });
  });
}

template <class T>
void embedding_sum_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                        const double* rows, const T* upper, double* rows_grad) {
  const Layout layout(pairs, table.segments);
  const int64_t padded = padded_width<T>(table.width);
  with_columns(pairs, [&](auto columns) {
    constexpr int W = columns();
    over_atoms(pairs, table.width, context, [&] {
      return [&, y = std::vector<T>(W * padded)](int64_t atom) mutable {
        pad_rows<W>(upper + atom * W * table.width, table.width, y.data());
        for (int64_t t = 0; t < pairs.num_types; ++t) {
          const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
          const int32_t curve = layout.curve(atom, t);
          if (curve < 0) std::fill(rows_grad + begin * W, rows_grad + end * W, 0.0);
          for (int64_t pair = begin; pair < end && curve >= 0; ++pair) {
            Term<T, W> term;
            set_place(layout.interval(curve, rows[pair * W]), table, &term);
            set_weight<W>(rows + pair * W, term.weight);
            row_grad(term, padded, y.data(), rows_grad + pair * W);
          }
        }
      };
    });
  });
}

#define DEEPTF_INSTANTIATE(T)                                                                     \
  template void embedding_sum<T>(const CurvePairs&, const CurveTable<T>&, const Context&,         \
                                 const double*, T*, const OutsidePairs&);                         \
  template void embedding_sum_grad<T>(const CurvePairs&, const CurveTable<T>&, const Context&,    \
                                      const double*, const T*, double*);                          \
  template void embedding_sum_tangent<T>(const CurvePairs&, const CurveTable<T>&, const Context&, \
                                         const double*, const double*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
