// What stages with tables of nets read alike.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/curve/intervals.h"
#include "core/curve/sum.h"
#include "engine/plan/stage_reader.h"
#include "engine/plan/values.h"

namespace deeptf {

template <class T>
class TableConstants {
 public:
  // Throws Error where the constants do not fit together.
  explicit TableConstants(const StageReader& reader)
      : width(reader.integer("width", 1, 1 << 20)),
        segments_(reader.integer("segments", 1, 1 << 20)),
        near_(reader.integer("near", 0, segments_ - 1)),
        node_row_(reader.constant<int32_t>("node_row", {-1})),
        grid_(reader.constant<double>("grid", {num_curves() * segments_, 2})) {
    check_segments(segments());
    read_nodes(reader);
    whole_.resize(node_row_[node_row_.size() - 1] + 1);
    std::iota(whole_.begin(), whole_.end(), 0);
  }

  int64_t num_curves() const {
    const int64_t rows = node_row_.size() - 1;
    if (rows < 1 || rows % segments_ != 0) {
      throw Error("`node_row` of a stage must have the rows of " + std::to_string(segments_) +
                  " segments a curve, got " + std::to_string(rows));
    }
    return rows / segments_;
  }

  CurveTable<T> table() const {
    const auto number = static_cast<int64_t>(whole_.size()) - 1;
    return {segments(), width, number, whole_.data(), nodes_.data()};
  }

  const int64_t width;  // M

 private:
  CurveSegments segments() const {
    return {num_curves(), segments_, near_, node_row_.data(), grid_.data()};
  }

  // Nodes with rows of the width that lanes want, in float32 the intervals between them.
  void read_nodes(const StageReader& reader) {
    const int64_t number = node_row_[node_row_.size() - 1], padded = padded_width<double>(width);
    const Aligned<double> given = reader.constant<double>("nodes", {number, 2, -1});
    const int64_t row = given.shape[2];
    if (row < width) {
      throw Error("`nodes` of a stage must have rows of at least " + std::to_string(width) +
                  " numbers, got " + std::to_string(row));
    }
    Aligned<double> nodes;
    nodes.numbers.assign(number * 2 * padded, 0.0);
    for (int64_t k = 0; k < 2 * number; ++k) {
      std::copy_n(given.data() + k * row, width, nodes.data() + k * padded);
    }
    if constexpr (kRise<T>) {
      nodes_.numbers.resize(table_groups<T>(number) * kTableRows<T> * padded_width<T>(width));
      round_intervals(number, width, Context(), nodes.data(), nodes_.data());
    } else {
      nodes_ = std::move(nodes);
    }
  }

  int64_t segments_, near_;
  Aligned<int32_t> node_row_;
  Aligned<double> grid_;
  Aligned<T> nodes_;
  std::vector<int32_t> whole_;  // all nodes are needed
};

// Notes pairs beyond the ranges of the data, for each neighbour type, `stride` apart, and centre
// type. What several stages find are the same pairs.
inline void note_outside(const AtomBlock& block, int64_t stride, const int32_t* count,
                         const int32_t* closest) {
  for (int64_t t = 0; t < block.num_types; ++t) {
    for (int64_t c = 0; c < block.num_types; ++c) {
      const int64_t from = t * stride + c, to = c * block.num_types + t;
      if (count[from] == 0) continue;
      const double* d = block.displacement + 3 * int64_t{closest[from]};
      const double distance = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
      block.outside_count[to] = std::max<int64_t>(block.outside_count[to], count[from]);
      block.outside_distance[to] = std::min(block.outside_distance[to], distance);
    }
  }
}

}  // namespace deeptf
