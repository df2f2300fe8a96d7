// The gradients to a table; see sum.h. What the pairs and the empty places of all atoms
// add is sorted by interval of the table, so that the four sums of an interval stay in registers
// while its pairs pass. Threaded over nodes: a node adds the sums of the two intervals beside it,
// in which pairs have one order, so that bits do not depend on threads.
#include <algorithm>
#include <vector>

#include "core/base/lane.h"
#include "core/base/scratch.h"
#include "core/curve/layout.h"
#include "core/curve/sum.h"

namespace deeptf {
namespace {

#if defined(__AVX512F__)
constexpr int kBlock = 5;  // lanes; 4 x 5 sums in 32 registers
#else
constexpr int kBlock = 2;
#endif
constexpr int64_t kTasks = 8;  // for each thread

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

// All entries in the order of their intervals; interval k begins at node k of the table.
template <class T, int W, bool kTangent>
class Entries {
 public:
  Entries(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
          const double* rows, const double* direction)
      : pairs_(pairs),
        layout_(pairs, table.segments),
        rows_(rows),
        direction_(direction),
        empty_(kTangent ? 0 : pairs.num_atoms * pairs.num_types),
        first_(table.num_needed + 1),
        entries_(pairs.num_pairs + empty_) {
    const auto nodes = static_cast<int32_t>(table.num_needed);
    Scratch<int32_t> place(pairs.num_pairs + empty_, nodes);  // node first, then place in order
    Scratch<Interval> at(place.size());
    over_atoms(pairs, 10, context, [&] {
      return [&](int64_t atom) {
        over_entries(atom, [&](int64_t k, int32_t curve, double x, auto) {
          at[k] = layout_.interval(curve, x);
          place[k] = static_cast<int32_t>(table.place(at[k].node));
        });
      };
    });
    sort(&place);
    over_atoms(pairs, 10, context, [&] {
      return [&](int64_t atom) {
        over_entries(atom, [&](int64_t k, int32_t, double, const T* weight) {
          set(atom, k, at[k], weight, entries_.data() + place[k]);
        });
      };
    });
  }

  const Entry<T, W, kTangent>* begin(int64_t interval) const {
    return entries_.data() + first_[interval];
  }
  int64_t count_before(int64_t interval) const { return first_[interval]; }

 private:
  // Calls body(index, curve, x, weight) for the entries of one atom; pairs come before empty
  // places.
  template <class Body>
  void over_entries(int64_t atom, const Body& body) const {
    for (int64_t t = 0; t < pairs_.num_types; ++t) {
      const int32_t curve = layout_.curve(atom, t);
      if (curve < 0) continue;
      const int64_t begin = layout_.first(atom, t), end = begin + layout_.count(atom, t);
      for (int64_t pair = begin; pair < end; ++pair) {
        T weight[W];
        set_weight<W>(rows_ + pair * W, weight);
        body(pair, curve, rows_[pair * W], weight);
      }
      if constexpr (!kTangent) {
        const T weight[W] = {static_cast<T>(layout_.empty_weight(atom, t))};
        if (weight[0] == 0) continue;
        const int64_t index = pairs_.num_pairs + atom * pairs_.num_types + t;
        body(index, curve, layout_.empty_x(atom, t), weight);
      }
    }
  }

  // From the interval of every entry to its place in the order of intervals, by counting.
  void sort(Scratch<int32_t>* place) {
    Scratch<int64_t> next(first_.size() + 1, 0);
    for (const int32_t node : *place) ++next[node + 1];
    for (int64_t node = 1; node < next.size(); ++node) next[node] += next[node - 1];
    std::copy_n(next.begin(), first_.size(), first_.begin());
    for (int32_t& one : *place) one = static_cast<int32_t>(next[one]++);
  }

  void set(int64_t atom, [[maybe_unused]] int64_t pair, const Interval& at, const T* weight,
           Entry<T, W, kTangent>* entry) const {
    entry->atom = atom;
    T other[4];  // weights that are not asked for
    Term<T, W>& first = entry->terms[0];
    if constexpr (kTangent) {
      const double* a = direction_ + pair * W;
      Term<T, W>& slope = entry->terms[entry->kSlope];
      hermite_weights<T>(at, W > 1 ? first.place : other, slope.place);
      for (int w = 0; w < W; ++w) slope.weight[w] = static_cast<T>(a[0]) * weight[w];
      if constexpr (W > 1) std::copy_n(a, W, first.weight);
    } else {
      hermite_weights<T>(at, first.place, other);
      std::copy_n(weight, W, first.weight);
    }
  }

  CurvePairs pairs_;
  Layout layout_;
  const double *rows_, *direction_;
  int64_t empty_;
  Scratch<int64_t> first_;  // entry of each interval; behind the last one: those left out
  Scratch<Entry<T, W, kTangent>> entries_;
};

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
  const int64_t lanes = padded / kLane<T>, blocks = (lanes + kBlock - 1) / kBlock;
  for (int64_t k = 0; k < blocks; ++k) {
    const int64_t first = lanes * k / blocks, at = first * kLane<T>;
    with_constant<kBlock>(lanes * (k + 1) / blocks - first, [&](auto number) {
      sum_block<number()>(begin, end, upper + at, padded, sum + at);
    });
  }
}

// upper [n, W, M] with rows of padded width; the padding is zero.
template <int W, class T>
Scratch<T> padded_rows(const CurvePairs& pairs, int64_t width, const Context& context,
                       const T* upper) {
  const int64_t step = W * padded_width<T>(width);
  Scratch<T> rows(pairs.num_atoms * step);
  context.parallel(pairs.num_atoms, W * width, [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) {
      pad_rows<W>(upper + atom * W * width, width, rows.data() + atom * step);
    }
  });
  return rows;
}

// The first nodes of tasks with about the same number of entries, and the number of nodes.
template <class Sorted>
std::vector<int64_t> cut_nodes(const Sorted& entries, int64_t nodes, int64_t tasks) {
  const int64_t share = entries.count_before(nodes) / tasks + 1;
  std::vector<int64_t> cuts{0};
  for (int64_t node = 1; node < nodes; ++node) {
    if (entries.count_before(node) >= entries.count_before(cuts.back()) + share) {
      cuts.push_back(node);
    }
  }
  cuts.push_back(nodes);
  return cuts;
}

template <class T, int W, bool kTangent>
void table_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                const double* rows, const double* direction, const T* upper, T* nodes_grad) {
  const int64_t padded = padded_width<T>(table.width);
  const int64_t nodes = table_groups<T>(table.num_needed);
  const Entries<T, W, kTangent> entries(pairs, table, context, rows, direction);
  const Scratch<T> y = padded_rows<W>(pairs, table.width, context, upper);
  const std::vector<int64_t> cuts = cut_nodes(entries, nodes, kTasks * context.threads);
  const auto tasks = static_cast<int64_t>(cuts.size()) - 1;
  const int64_t work = entries.count_before(nodes) * padded * 2 / std::max<int64_t>(1, tasks);
  context.parallel(tasks, 1000 + work, [&](int64_t begin, int64_t end) {
    if constexpr (kRise<T>) {  // an interval is by itself
      for (int64_t k = cuts[begin]; k < cuts[end]; ++k) {
        T* to = nodes_grad + k * 4 * padded;
        sum_interval(entries.begin(k), entries.begin(k + 1), y.data(), padded, to);
      }
      return;
    }
    std::vector<T> sums(4 * padded), last(4 * padded);  // of this interval and the one before
    for (int64_t node = std::max<int64_t>(1, cuts[begin]) - 1; node < cuts[end]; ++node) {
      std::swap(sums, last);
      sum_interval(entries.begin(node), entries.begin(node + 1), y.data(), padded, sums.data());
      T* to = nodes_grad + node * 2 * padded;
      for (int64_t k = 0; k < 2 * padded && node >= cuts[begin]; ++k) {
        to[k] = last[2 * padded + k] + sums[k];
      }
    }
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
