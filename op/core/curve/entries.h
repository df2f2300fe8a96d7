// How gradients to a table are made: what the pairs and the empty places of all atoms add is sorted
// by interval of the table, so that the four sums of an interval stay in registers while its pairs
// pass. Threaded over nodes: a node adds the sums of the two intervals beside it, in which pairs
// have one order, so that bits do not depend on threads.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/lane.h"
#include "core/base/scratch.h"
#include "core/curve/layout.h"
#include "core/curve/sum.h"

namespace deeptf {

#if defined(__AVX512F__)
constexpr int kEntryBlock = 5;  // lanes; 4 x 5 sums in 32 registers
#else
constexpr int kEntryBlock = 2;
#endif
constexpr int64_t kTasks = 8;  // for each thread

// All entries in the order of their intervals; interval k begins at node k of the table.
template <class T, int W, class Entry>
class Entries {
 public:
  // Calls set(atom, t, pair, interval, weight, entry) for each pair and, with `empty_places`, for
  // what the places of an atom without a neighbour of type t add together, whose pair is beyond
  // all.
  template <class Set>
  Entries(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
          const double* rows, bool empty_places, const Set& set)
      : pairs_(pairs),
        layout_(pairs, table.segments),
        rows_(rows),
        empty_(empty_places ? pairs.num_atoms * pairs.num_types : 0),
        first_(table.num_needed + 1),
        entries_(pairs.num_pairs + empty_) {
    const auto nodes = static_cast<int32_t>(table.num_needed);
    Scratch<int32_t> place(pairs.num_pairs + empty_, nodes);  // node first, then place in order
    Scratch<Interval> at(place.size());
    over_atoms(pairs, 10, context, [&] {
      return [&](int64_t atom) {
        over_entries(atom, [&](int64_t, int64_t k, int32_t curve, double x, auto) {
          at[k] = layout_.interval(curve, x);
          place[k] = static_cast<int32_t>(table.place(at[k].node));
        });
      };
    });
    sort(&place);
    over_atoms(pairs, 10, context, [&] {
      return [&](int64_t atom) {
        over_entries(atom, [&](int64_t t, int64_t k, int32_t, double, const T* weight) {
          set(atom, t, k, at[k], weight, entries_.data() + place[k]);
        });
      };
    });
  }

  const Entry* begin(int64_t interval) const { return entries_.data() + first_[interval]; }
  int64_t count_before(int64_t interval) const { return first_[interval]; }

 private:
  // Calls body(t, index, curve, x, weight) for the entries of one atom; pairs come before empty
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
        body(t, pair, curve, rows_[pair * W], weight);
      }
      if (empty_ > 0) {
        const T weight[W] = {static_cast<T>(layout_.empty_weight(atom, t))};
        if (weight[0] == 0) continue;
        const int64_t index = pairs_.num_pairs + atom * pairs_.num_types + t;
        body(t, index, curve, layout_.empty_x(atom, t), weight);
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

  CurvePairs pairs_;
  Layout layout_;
  const double* rows_;
  int64_t empty_;
  Scratch<int64_t> first_;  // entry of each interval; behind the last one: those left out
  Scratch<Entry> entries_;
};

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

// Fills nodes_grad [nodes or intervals] from what sum_interval(begin, end, sum) makes of the
// entries of an interval: its four rows of sums, [4, padded].
template <class T, class Sorted, class Body>
void fill_nodes(const CurveTable<T>& table, const Context& context, const Sorted& entries,
                T* nodes_grad, const Body& sum_interval) {
  const int64_t padded = padded_width<T>(table.width);
  const int64_t nodes = table_groups<T>(table.num_needed);
  const std::vector<int64_t> cuts = cut_nodes(entries, nodes, kTasks * context.threads);
  const auto tasks = static_cast<int64_t>(cuts.size()) - 1;
  const int64_t work = entries.count_before(nodes) * padded * 2 / std::max<int64_t>(1, tasks);
  context.parallel(tasks, 1000 + work, [&](int64_t begin, int64_t end) {
    if constexpr (kRise<T>) {  // an interval is by itself
      for (int64_t k = cuts[begin]; k < cuts[end]; ++k) {
        sum_interval(entries.begin(k), entries.begin(k + 1), nodes_grad + k * 4 * padded);
      }
      return;
    }
    std::vector<T> sums(4 * padded), last(4 * padded);  // of this interval and the one before
    for (int64_t node = std::max<int64_t>(1, cuts[begin]) - 1; node < cuts[end]; ++node) {
      std::swap(sums, last);
      sum_interval(entries.begin(node), entries.begin(node + 1), sums.data());
      T* to = nodes_grad + node * 2 * padded;
      for (int64_t k = 0; k < 2 * padded && node >= cuts[begin]; ++k) {
        to[k] = last[2 * padded + k] + sums[k];
      }
    }
  });
}

}  // namespace deeptf
