// What sums over tabulated curves are made of: places of pairs in a table, values between nodes,
// and pairs that a caller has to hear of.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/lane.h"
#include "core/curve/layout.h"

namespace deeptf {

// Sets nodes, value and derivative of a term.
template <class T, class Term>
void set_place(const Interval& interval, const CurveTable<T>& table, Term* term) {
  const int64_t row = table.place(interval.node) * kTableRows<T>;
  term->nodes = table.nodes + row * padded_width<T>(table.width);
  hermite_weights<T>(interval, term->value, term->derivative);
}

// Pairs beyond the ranges of the data and pairs that are not finite, from several threads. Numbers
// and largest arguments do not depend on the order in which they come.
class Findings {
 public:
  Findings(int64_t types, const OutsidePairs& outside) : largest_(types * types), out_(outside) {
    std::fill_n(out_.count, types * types, 0);
    std::fill_n(out_.closest, types * types, -1);
  }

  void note(int64_t block, int64_t pair, double x) {
    const std::lock_guard<std::mutex> lock(mutex_);
    int32_t* closest = out_.closest + block;
    ++out_.count[block];
    if (*closest < 0 || x > largest_[block] || (x == largest_[block] && pair < *closest)) {
      largest_[block] = x;
      *closest = static_cast<int32_t>(pair);
    }
  }

  // Throws Error where a row is wrong.
  void check(const CurvePairs& pairs, const double* rows) const {
    if (not_finite.any()) {
      const int64_t pair = not_finite.index();
      throw Error("`rows` must be finite, got " + std::to_string(rows[pair * pairs.columns]) +
                  " first in the row of sorted pair " + std::to_string(pair));
    }
    if (without_nodes.any()) {
      throw Error("`needed_row` must hold the nodes of all pairs, but not those of sorted pair " +
                  std::to_string(without_nodes.index()) + ": make it of the same rows");
    }
  }

  FirstWrong not_finite, without_nodes;

 private:
  std::mutex mutex_;
  std::vector<double> largest_;
  OutsidePairs out_;
};

template <int W>
bool is_finite(const double* row) {
  double zero = 0;
  for (int w = 0; w < W; ++w) zero += row[w] * 0.0;
  return zero == 0;
}

// Four node numbers times their weights, for B lanes. With rises the first weight is 1 in G (then g
// begins with the value) and 0 in its slope.
template <class T, int B, bool kSlope>
inline void interpolate(const T* node, int64_t stride, const T* weight, Lane<T>* g) {
  constexpr int kFirst = kRise<T> ? 1 : 0;
#pragma GCC unroll 8
  for (int b = 0; b < B; ++b) g[b] = load(node + b * kLane<T>);
#pragma GCC unroll 4
  for (int i = kFirst; i < 4; ++i) {
    Lane<T> w = broadcast(weight[i]);
    hold(w);
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      const Lane<T> t = load(node + i * stride + b * kLane<T>);
      g[b] = i == (kSlope ? kFirst : 0) ? w * t : g[b] + w * t;
    }
  }
}

}  // namespace deeptf
