// The gradients of gated sums to a table; see gated_sum.h and entries.h.
#include <algorithm>

#include "core/base/lane.h"
#include "core/curve/entries.h"
#include "core/curve/gated_sum.h"
#include "core/curve/padded_gates.h"

namespace deeptf {
namespace {

constexpr int W = kGatedColumns;

// What a pair, or the empty places of an atom, adds: the four node numbers of an interval get
// place_i a D, or of tangents place_i (a sum_w A_w Y_w + B h D) + slope_i A_0 a D.
template <class T, bool kTangent>
struct Entry {
  int64_t atom;
  const T* gate;
  T share, place[4], weight[W];
};

template <class T>
struct Entry<T, true> : Entry<T, false> {
  T along_share, slope[4], direction[W];
};

template <class T, int B, bool kTangent>
void sum_block(const Entry<T, kTangent>* begin, const Entry<T, kTangent>* end, const T* upper,
               int64_t padded, int64_t start, T* sum) {
  Lane<T> total[4][B] = {};
  for (const Entry<T, kTangent>* entry = begin; entry < end; ++entry) {
    const T* y = upper + entry->atom * W * padded + start;
    Lane<T> u[B] = {}, v[B] = {};  // of values, and of slopes
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) {
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        const Lane<T> at = load(y + w * padded + b * kLane<T>);
        if constexpr (kTangent) {
          u[b] += entry->direction[w] * at;
          v[b] += entry->weight[w] * at;
        } else {
          u[b] += entry->weight[w] * at;
        }
      }
    }
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      const Lane<T> h = load(entry->gate + start + b * kLane<T>);
      const Lane<T> a = T(1) + entry->share * h;
      u[b] *= a;
      if constexpr (kTangent) {
        u[b] += entry->along_share * h * v[b];
        v[b] *= entry->direction[0] * a;
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) {
        total[i][b] += entry->place[i] * u[b];
        if constexpr (kTangent) total[i][b] += entry->slope[i] * v[b];
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) store(sum + i * padded + start + b * kLane<T>, total[i][b]);
  }
}

// sum [4, padded] over the entries of one interval.
template <class T, bool kTangent>
void sum_interval(const Entry<T, kTangent>* begin, const Entry<T, kTangent>* end, const T* upper,
                  int64_t padded, T* sum) {
  constexpr int kMost = kTangent ? std::max(1, kEntryBlock - 2) : kEntryBlock;
  const int64_t lanes = padded / kLane<T>, blocks = (lanes + kMost - 1) / kMost;
  for (int64_t k = 0; k < blocks; ++k) {
    const int64_t first = lanes * k / blocks;
    with_constant<kMost>(lanes * (k + 1) / blocks - first, [&](auto number) {
      sum_block<T, number(), kTangent>(begin, end, upper, padded, first * kLane<T>, sum);
    });
  }
}

template <class T, bool kTangent>
void table_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                const Context& context, const double* rows, const GatedDirection& direction,
                const T* upper, T* nodes_grad) {
  const int64_t padded = padded_width<T>(table.width);
  const PaddedGates<T> padded_gates(pairs, table.width, gates, context);
  const Layout layout(pairs, table.segments);
  const auto set = [&](int64_t atom, int64_t t, int64_t pair, const Interval& at, const T* weight,
                       Entry<T, kTangent>* entry) {
    const bool empty = pair >= pairs.num_pairs;
    T other[4];  // weights that are not asked for
    entry->atom = atom;
    entry->gate = empty ? padded_gates.none() : padded_gates.of_block(layout.block(atom, t));
    entry->share = empty ? T(0) : padded_gates.share(pair);
    std::copy_n(weight, W, entry->weight);
    if constexpr (kTangent) {
      hermite_weights<T>(at, entry->place, entry->slope);
      std::copy_n(direction.rows + pair * W, W, entry->direction);
      entry->along_share = static_cast<T>(direction.share_of(pair));
    } else {
      hermite_weights<T>(at, entry->place, other);
    }
  };
  const Entries<T, W, Entry<T, kTangent>> entries(pairs, table, context, rows, !kTangent, set);
  const Scratch<T> y = padded_rows<W>(pairs, table.width, context, upper);
  fill_nodes(table, context, entries, nodes_grad, [&](auto begin, auto end, T* sum) {
    sum_interval<T, kTangent>(begin, end, y.data(), padded, sum);
  });
}

}  // namespace

template <class T>
void gated_table_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                      const Context& context, const double* rows, const T* upper, T* nodes_grad) {
  table_grad<T, false>(pairs, table, gates, context, rows, {}, upper, nodes_grad);
}

template <class T>
void gated_tangent_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                              const Gates<T>& gates, const Context& context, const double* rows,
                              const GatedDirection& direction, const T* upper, T* nodes_grad) {
  table_grad<T, true>(pairs, table, gates, context, rows, direction, upper, nodes_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                 \
  template void gated_table_grad<T>(const CurvePairs&, const CurveTable<T>&, const Gates<T>&, \
                                    const Context&, const double*, const T*, T*);             \
  template void gated_tangent_table_grad<T>(const CurvePairs&, const CurveTable<T>&,          \
                                            const Gates<T>&, const Context&, const double*,   \
                                            const GatedDirection&, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
