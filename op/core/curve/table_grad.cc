// The gradients to a table; see sum.h and entries.h.
#include <algorithm>

#include "core/base/lane.h"
#include "core/curve/entries.h"
#include "core/curve/sum.h"

namespace deeptf {
namespace {

// The four node numbers of an interval get place_i sum_w weight_w Y_w.
template <class T, int W>
struct Term {
  T place[4], weight[W];
};

// What a pair, or the empty places of an atom, adds: one term to the sums, two to the tangents
// where rows are their weights.
template <class T, int W, bool kTangent>
struct Entry {
  static constexpr int kSlope = W > 1 ? 1 : 0;  // the term with the slopes of the curve
  int64_t atom;
  Term<T, W> terms[kTangent ? kSlope + 1 : 1];
};

template <class T, int W, bool kTangent>
void set_entry(int64_t atom, [[maybe_unused]] const double* a, const Interval& at, const T* weight,
               Entry<T, W, kTangent>* entry) {
  entry->atom = atom;
  T other[4];  // weights that are not asked for
  Term<T, W>& first = entry->terms[0];
  if constexpr (kTangent) {
    Term<T, W>& slope = entry->terms[entry->kSlope];
    hermite_weights<T>(at, W > 1 ? first.place : other, slope.place);
    for (int w = 0; w < W; ++w) slope.weight[w] = static_cast<T>(a[0]) * weight[w];
    if constexpr (W > 1) std::copy_n(a, W, first.weight);
  } else {
    hermite_weights<T>(at, first.place, other);
    std::copy_n(weight, W, first.weight);
  }
}

// sum [4, B lanes], rows `padded` apart, over the entries of one interval.
template <int B, class T, int W, bool kTangent>
void sum_block(const Entry<T, W, kTangent>* begin, const Entry<T, W, kTangent>* end, const T* upper,
               int64_t padded, T* sum) {
  Lane<T> total[4][B] = {};
  for (const Entry<T, W, kTangent>* entry = begin; entry < end; ++entry) {
    const T* y = upper + entry->atom * W * padded;
    for (const Term<T, W>& term : entry->terms) {
      Lane<T> u[B] = {};
#pragma GCC unroll 4
      for (int w = 0; w < W; ++w) {
#pragma GCC unroll 8
        for (int b = 0; b < B; ++b) u[b] += term.weight[w] * load(y + w * padded + b * kLane<T>);
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 8
        for (int b = 0; b < B; ++b) total[i][b] += term.place[i] * u[b];
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) store(sum + i * padded + b * kLane<T>, total[i][b]);
  }
}

// sum [4, padded] over the entries of one interval.
template <class T, int W, bool kTangent>
void sum_interval(const Entry<T, W, kTangent>* begin, const Entry<T, W, kTangent>* end,
                  const T* upper, int64_t padded, T* sum) {
  const int64_t lanes = padded / kLane<T>, blocks = (lanes + kEntryBlock - 1) / kEntryBlock;
  for (int64_t k = 0; k < blocks; ++k) {
    const int64_t first = lanes * k / blocks, at = first * kLane<T>;
    with_constant<kEntryBlock>(lanes * (k + 1) / blocks - first, [&](auto number) {
      sum_block<number()>(begin, end, upper + at, padded, sum + at);
    });
  }
}

template <class T, int W, bool kTangent>
void table_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                const double* rows, const double* direction, const T* upper, T* nodes_grad) {
  const int64_t padded = padded_width<T>(table.width);
  const auto set = [direction](int64_t atom, int64_t, int64_t pair, const Interval& at,
                               const T* weight, Entry<T, W, kTangent>* entry) {
    set_entry(atom, kTangent ? direction + pair * W : nullptr, at, weight, entry);
  };
  const Entries<T, W, Entry<T, W, kTangent>> entries(pairs, table, context, rows, !kTangent, set);
  const Scratch<T> y = padded_rows<W>(pairs, table.width, context, upper);
  fill_nodes(table, context, entries, nodes_grad, [&](auto begin, auto end, T* sum) {
    sum_interval(begin, end, y.data(), padded, sum);
  });
}

}  // namespace

template <class T>
void embedding_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                          const Context& context, const double* rows, const T* upper,
                          T* nodes_grad) {
  with_columns(pairs, [&](auto columns) {
    table_grad<T, columns(), false>(pairs, table, context, rows, nullptr, upper, nodes_grad);
  });
}

template <class T>
void embedding_tangent_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                                  const Context& context, const double* rows,
                                  const double* direction, const T* upper, T* nodes_grad) {
  with_columns(pairs, [&](auto columns) {
    table_grad<T, columns(), true>(pairs, table, context, rows, direction, upper, nodes_grad);
  });
}

#define DEEPTF_INSTANTIATE(T)                                                                    \
  template void embedding_table_grad<T>(const CurvePairs&, const CurveTable<T>&, const Context&, \
                                        const double*, const T*, T*);                            \
  template void embedding_tangent_table_grad<T>(const CurvePairs&, const CurveTable<T>&,         \
                                                const Context&, const double*, const double*,    \
                                                const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
