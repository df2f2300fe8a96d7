// Pairs on tabulated curves for tests: three types, one of which has no atoms; four curves of three
// segments, the last one beyond the range of the data; blocks of pairs that are left out; an atom
// with more pairs than a block has threads, and one with some behind it.
#pragma once

#include "compare.h"
#include "core/curve/needed.h"
#include "core/curve/sum.h"

namespace deeptf_test {

template <class T>
struct CurveCase {
  static constexpr int64_t kTypes = 3, kCurves = 4, kSegments = 3, kNear = 1, kAtoms = 5;

  // Small values of `spread` bring the pairs of a curve into one interval.
  CurveCase(int64_t columns, int64_t width, int32_t most_pairs, double spread = 1)
      : columns(columns), width(width) {
    for (int64_t k = 0; k < kAtoms * kTypes; ++k) {
      neighbor_count.push_back(k == 2 ? most_pairs : static_cast<int32_t>(k == 5 ? 9 : k * 7 % 5));
      num_pairs += neighbor_count.back();
    }
    for (int64_t c = 0; c < kCurves; ++c) {
      const double start = -1.5 - 0.1 * static_cast<double>(c);
      const double first[kSegments] = {start, start + 1, start + 2};
      for (int64_t s = 0; s < kSegments; ++s) {
        const int32_t* row = node_row.data() + c * kSegments + s;
        grid.push_back(first[s]);
        grid.push_back((s == 2 ? 0.5 : 1.0) / (row[1] - row[0] - 1));
      }
    }
    rows = random<double>(num_pairs * columns, 1);
    for (int64_t pair = 0; pair < num_pairs; ++pair) rows[pair * columns] *= spread;
    direction = random<double>(num_pairs * columns, 2);
    upper = random<T>(kAtoms * columns * width, 3);
    make_table();
  }

  // Of the nodes that the rows need.
  void make_table() {
    needed.resize(node_row.back() + 1);
    deeptf::needed_nodes(pairs(), segments(), serial(), rows.data(), needed.data());
    nodes = random<T>(table_size(needed.back()), 4);
  }

  int64_t table_size(int64_t num_needed) const {
    return deeptf::table_groups<T>(num_needed) * deeptf::kTableRows<T> *
           deeptf::padded_width<T>(width);
  }
  deeptf::CurvePairs pairs() const {
    return {kAtoms,       num_pairs,  kTypes,      columns, atoms.data(), neighbor_count.data(),
            curve.data(), sel.data(), empty.data()};
  }
  deeptf::CurveSegments segments() const {
    return {kCurves, kSegments, kNear, node_row.data(), grid.data()};
  }
  deeptf::CurveTable<T> table() const {
    return {segments(), width, needed.back(), needed.data(), nodes.data()};
  }

  const std::vector<int32_t> atoms{3, 0, 2}, curve{0, 1, 1, -1, 2, 0, 3, 2, 2},
      node_row{0, 5, 9, 12, 20, 22, 26, 30, 33, 35, 39, 42, 47};
  const std::vector<double> sel{8, 2, 300}, empty{-0.4, 0.3, -0.2, 0.1, 0.6, -0.9, 0.0, 1.2, -0.7};
  int64_t columns, width, num_pairs = 0;
  std::vector<int32_t> neighbor_count, needed;
  std::vector<double> grid, rows, direction;
  std::vector<T> upper, nodes;
};

// The same on the device.
template <class T>
struct CurveCaseOnDevice {
  explicit CurveCaseOnDevice(const CurveCase<T>& c)
      : c(c),
        atoms(c.atoms),
        neighbor_count(c.neighbor_count),
        curve(c.curve),
        node_row(c.node_row),
        needed(c.needed),
        sel(c.sel),
        empty(c.empty),
        grid(c.grid),
        rows(c.rows),
        direction(c.direction),
        upper(c.upper),
        nodes(c.nodes) {}

  deeptf::CurvePairs pairs() const {
    return {c.kAtoms,     c.num_pairs, c.kTypes,    c.columns, atoms.data(), neighbor_count.data(),
            curve.data(), sel.data(),  empty.data()};
  }
  deeptf::CurveSegments segments() const {
    return {c.kCurves, c.kSegments, c.kNear, node_row.data(), grid.data()};
  }
  deeptf::CurveTable<T> table() const {
    return {segments(), c.width, c.needed.back(), needed.data(), nodes.data()};
  }

  const CurveCase<T>& c;
  DeviceArray<int32_t> atoms, neighbor_count, curve, node_row, needed;
  DeviceArray<double> sel, empty, grid, rows, direction;
  DeviceArray<T> upper, nodes;
};

}  // namespace deeptf_test
