// A table of curves on a device, and what its sums find beyond the range of the data.
#pragma once

#include "core/cuda/curve_pairs.h"
#include "engine/cuda/stage.h"
#include "engine/plan/table_constants.h"

namespace deeptf::device {

template <class T>
class Table {
 public:
  // Throws Error for nets that are wider than sums on a device take.
  explicit Table(const TableConstants<T>& constants) : Table(constants.table()) {}

  int64_t width() const { return host_.width; }
  CurveTable<T> get() const {
    CurveTable<T> table = host_;
    table.segments.node_row = node_row_.data();
    table.segments.grid = grid_.data();
    table.needed_row = needed_row_.data();
    table.nodes = nodes_.data();
    return table;
  }

 private:
  explicit Table(const CurveTable<T>& host)
      : host_(host),
        nodes_(host.nodes,
               table_groups<T>(host.num_needed) * kTableRows<T> * padded_width<T>(host.width)),
        needed_row_(host.needed_row, host.num_needed + 1),
        node_row_(host.segments.node_row, num_segments() + 1),
        grid_(host.segments.grid, 2 * num_segments()) {
    if (host.width > kMostColumns) {
      throw Error("the width of an embedding net must be at most " + std::to_string(kMostColumns) +
                  " on a GPU, got " + std::to_string(host.width));
    }
  }

  int64_t num_segments() const { return host_.segments.num_curves * host_.segments.number; }

  CurveTable<T> host_;  // whose pointers are not used later
  Constant<T> nodes_;
  Constant<int32_t> needed_row_, node_row_;
  Constant<double> grid_;
};

// Notes pairs beyond the ranges of the data, for each neighbour type, `stride` apart, and centre
// type; what several stages find are the same pairs. Pairs are counted from *before on, if given.
struct NoteOutside {
  int64_t num_types, stride;
  OutsidePairs found;
  const int64_t* before;
  const double* displacement;
  int64_t* count;
  double* distance;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t from = k / num_types * stride + k % num_types;
    if (found.count[from] == 0) return;
    const int64_t pair = found.closest[from] - (before != nullptr ? *before : 0);
    const double* d = displacement + 3 * pair;
    const double length = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const int64_t to = k % num_types * num_types + k / num_types;  // centre type first
    if (found.count[from] > count[to]) count[to] = found.count[from];
    if (length < distance[to]) distance[to] = length;
  }
};

inline void note_outside(const Block& block, int64_t stride, const OutsidePairs& found,
                         const int64_t* before = nullptr) {
  for_each(block.cuda, block.num_types * block.num_types,
           NoteOutside{block.num_types, stride, found, before, block.displacement,
                       block.outside_count, block.outside_distance});
}

}  // namespace deeptf::device
