// Random curves, rows and a table for the tests of sums over neighbours.
#pragma once

#include <vector>

#include "check.h"
#include "core/curve/hermite.h"
#include "core/curve/intervals.h"
#include "core/curve/needed.h"
#include "core/curve/sum.h"

namespace deeptf_test {

using deeptf::CurvePairs;
using deeptf::CurveSegments;
using deeptf::CurveTable;

const std::vector<int32_t> kAtoms{2, 0, 3}, kCurve{0, 1, 1, 2, -1, 0, 1, 2, -1};
const std::vector<int32_t> kNodeRow{0, 4, 6, 11};
const std::vector<double> kGrid{-1.0, 0.7, 0.2, 0.5, -2.0, 1.1}, kSel{3, 2, 5},
    kEmpty{-0.4, 0.3, -0.2, 0.1, 0.6, -0.9, 0.0, 1.2, -0.7};
constexpr int64_t kTypes = 3, kNumAtoms = 5;

template <class T>
std::vector<T> random(size_t count, unsigned seed) {
  const std::vector<double> values = deeptf_test::normal(count, seed);
  return {values.begin(), values.end()};
}

template <class T>
struct Case {
  explicit Case(int64_t width, int64_t columns = 4)
      : width(width), columns(columns), padded(deeptf::padded_width<T>(width)) {
    for (int64_t k = 0; k < kNumAtoms * kTypes; ++k) {
      count.push_back(static_cast<int32_t>((k * 5 + 3) % 4));
      num_pairs += count.back();
    }
    rows = random<double>(num_pairs * columns, 1);
    direction = random<double>(num_pairs * columns, 2);
    upper = random<T>(kNumAtoms * columns * width, 3);
    nodes = random<T>(deeptf::table_groups<T>(kNodeRow.back()) * kRows * padded, 4);
  }
  CurvePairs pairs() const {
    return {kNumAtoms,    num_pairs,     kTypes,      columns,      kAtoms.data(),
            count.data(), kCurve.data(), kSel.data(), kEmpty.data()};
  }
  static CurveSegments segments() { return {3, 1, 0, kNodeRow.data(), kGrid.data()}; }
  CurveTable<T> table() const {
    return {segments(), width, needed.back(), needed.data(), nodes.data()};
  }
  // What needed_nodes gives, and the table without the others.
  std::vector<int32_t> needed_row(const deeptf::Context& context) const {
    std::vector<int32_t> row(kNodeRow.back() + 1, -1);
    deeptf::needed_nodes(pairs(), segments(), context, rows.data(), row.data());
    return row;
  }
  void hold(const std::vector<int32_t>& row) {
    std::vector<T> kept;
    for (int64_t node = 0; node < kNodeRow.back(); ++node) {
      const auto begin = nodes.begin() + node * 2 * padded;
      if (row[node + 1] > row[node]) kept.insert(kept.end(), begin, begin + 2 * padded);
    }
    nodes = kept;
    needed = row;
  }
  double value(int32_t curve, double x, int64_t m) const {
    const int32_t first = kNodeRow[curve];
    const deeptf::Interval at = deeptf::interval_at(x, kGrid[2 * curve], 1 / kGrid[2 * curve + 1],
                                                    first, kNodeRow[curve + 1] - first);
    T weight[4], of_slope[4];
    deeptf::hermite_weights(at, weight, of_slope);
    double sum = 0;
    for (int64_t i = 0; i < 4; ++i) {
      sum += static_cast<double>(weight[i]) *
             static_cast<double>(nodes[(kRows * needed[at.node] + i) * padded + m]);
    }
    return sum;
  }

  static constexpr int64_t kRows = deeptf::kTableRows<T>;
  int64_t width, columns, padded, num_pairs = 0;
  std::vector<int32_t> count, needed = deeptf_test::counted(kNodeRow.back());
  std::vector<double> rows, direction;
  std::vector<T> upper, nodes;
};

}  // namespace deeptf_test
