// The gradients to a table; see embedding_sum.h. The places of all pairs on their grids are found
// once. The work is then threaded over (columns, curve): each number of the gradient is written by
// one thread and adds its pairs in one order, so that bits do not depend on threads.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/embedding_layout.h"
#include "core/embedding_sum.h"
#include "core/error.h"
#include "core/lane.h"

namespace deeptf {
namespace {

constexpr int kTableBlock = 5;  // lanes of a table gradient that stay together

// The pairs of one (neighbour type, centre type) block and the columns of one task, for the
// gradients to a table. kTangent: of the tangent; otherwise of the sums.
template <class T, bool kTangent>
class TableGrad {
 public:
  TableGrad(const CurvePairs& pairs, const CurveTable<T>& table, const Layout<T>& layout,
            const std::vector<HermitePlace<T>>& places, const T* rows, const T* direction,
            const T* upper, T* nodes_grad)
      : pairs_(pairs),
        table_(table),
        layout_(layout),
        places_(places),
        rows_(rows),
        direction_(direction),
        upper_(upper),
        grad_(nodes_grad),
        padded_(padded_width<T>(table.width)) {}

  // Adds what the columns from `start`, `lanes` lanes of them, of curve `curve` get.
  void run(int32_t curve, int64_t start, int lanes) const {
    for (int64_t node = 2 * table_.node_row[curve]; node < 2 * table_.node_row[curve + 1]; ++node) {
      std::fill_n(grad_ + node * padded_ + start, lanes * kLane<T>, T(0));
    }
    std::vector<T> y(kRowColumns * lanes * kLane<T>);
    for (int64_t t = 0; t < pairs_.num_types; ++t) {
      for (int64_t atom = 0; atom < pairs_.num_atoms; ++atom) {
        if (layout_.curve(atom, t) != curve) continue;
        copy_upper(atom, start, lanes, y.data());
        add_run(atom, t, start, lanes, y.data());
      }
    }
  }

 private:
  void copy_upper(int64_t atom, int64_t start, int lanes, T* y) const {
    const int64_t length = std::min<int64_t>(lanes * kLane<T>, table_.width - start);
    for (int64_t w = 0; w < kRowColumns; ++w) {
      const T* from = upper_ + (atom * kRowColumns + w) * table_.width + start;
      std::copy_n(from, length, y + w * lanes * kLane<T>);
    }
  }

  void add_run(int64_t atom, int64_t t, int64_t start, int lanes, const T* y) const {
    const int64_t begin = layout_.first(atom, t), end = begin + layout_.count(atom, t);
    for (int64_t pair = begin; pair < end; ++pair) {
      const T* row = rows_ + pair * kRowColumns;
      if constexpr (kTangent) {
        const T* a = direction_ + pair * kRowColumns;
        const T mixed[kRowColumns] = {a[0] * row[0], a[0] * row[1], a[0] * row[2], a[0] * row[3]};
        add(places_[pair], a, mixed, start, lanes, y);
      } else {
        add(places_[pair], row, row, start, lanes, y);
      }
    }
    if constexpr (!kTangent) {
      const T weight[kRowColumns] = {layout_.empty_weight(atom, t)};
      if (weight[0] != 0) {
        const int32_t curve = layout_.curve(atom, t);
        add(layout_.place(curve, layout_.empty_x(atom)), weight, weight, start, lanes, y);
      }
    }
  }

  void add(const HermitePlace<T>& place, const T* weight, const T* slope_weight, int64_t start,
           int lanes, const T* y) const {
    T* node = grad_ + place.node * 2 * padded_ + start;
    for (int lane = 0; lane < lanes; ++lane, node += kLane<T>, y += kLane<T>) {
      Lane<T> u = {}, v = {};
#pragma GCC unroll 4
      for (int w = 0; w < kRowColumns; ++w) {
        Lane<T> part = load(y + w * lanes * kLane<T>);
        hold(part);
        u += weight[w] * part;
        if constexpr (kTangent) v += slope_weight[w] * part;
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        Lane<T> sum = load(node + i * padded_) + place.value[i] * u;
        if constexpr (kTangent) sum += place.derivative[i] * v;
        store(node + i * padded_, sum);
      }
    }
    (void)slope_weight;
  }

  CurvePairs pairs_;
  CurveTable<T> table_;
  const Layout<T>& layout_;
  const std::vector<HermitePlace<T>>& places_;
  const T *rows_, *direction_, *upper_;
  T* grad_;
  int64_t padded_;
};

// The places of all pairs of one atom.
template <class T>
void find_places(const Layout<T>& layout, int64_t types, const T* rows, int64_t atom,
                 std::vector<HermitePlace<T>>* places) {
  for (int64_t t = 0; t < types; ++t) {
    const int32_t curve = layout.curve(atom, t);
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    for (int64_t pair = begin; pair < end && curve >= 0; ++pair) {
      (*places)[pair] = layout.place(curve, rows[pair * kRowColumns]);
    }
  }
}

template <class T, bool kTangent>
void table_grad(const CurvePairs& pairs, const CurveTable<T>& table, const ParallelFor& parallel,
                const T* rows, const T* direction, const T* upper, T* nodes_grad) {
  const Layout<T> layout(pairs, table);
  std::vector<HermitePlace<T>> places(pairs.num_pairs);
  over_atoms(pairs, 10, parallel, [&] {
    return [&](int64_t atom) { find_places(layout, pairs.num_types, rows, atom, &places); };
  });
  const TableGrad<T, kTangent> grad(pairs, table, layout, places, rows, direction, upper,
                                    nodes_grad);
  const int64_t lanes = padded_width<T>(table.width) / kLane<T>;
  const int64_t blocks = (lanes + kTableBlock - 1) / kTableBlock, curves = table.num_curves;
  // Blocks are the outer index: neighbouring tasks have different curves, which shares the work of
  // curves with many and with few pairs evenly.
  const int64_t work = pairs.num_pairs * table.width * 2 / std::max<int64_t>(1, blocks * curves);
  parallel(blocks * curves, 1000 + work, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = lanes * (task / curves) / blocks;
      const int64_t last = lanes * (task / curves + 1) / blocks;
      grad.run(static_cast<int32_t>(task % curves), first * kLane<T>,
               static_cast<int>(last - first));
    }
  });
}

}  // namespace

void check_curves(const CurvePairs& pairs, int64_t num_curves, const int32_t* node_row,
                  const double* grid, int64_t num_nodes) {
  int64_t atoms = 0, sum = 0;
  for (int64_t c = 0; c < pairs.num_types; ++c) atoms += pairs.atom_count[c];
  for (int64_t k = 0; k < pairs.num_atoms * pairs.num_types; ++k) {
    if (pairs.neighbor_count[k] < 0) throw Error("`neighbor_count` must not be negative");
    sum += pairs.neighbor_count[k];
  }
  if (atoms != pairs.num_atoms || sum != pairs.num_pairs) {
    throw Error("`atom_count` and `neighbor_count` must add up to " +
                std::to_string(pairs.num_atoms) + " atoms and " + std::to_string(pairs.num_pairs) +
                " pairs, got " + std::to_string(atoms) + " and " + std::to_string(sum));
  }
  for (int64_t k = 0; k < pairs.num_types * pairs.num_types; ++k) {
    if (pairs.curve[k] < -1 || pairs.curve[k] >= num_curves) {
      throw Error("`curve` must be -1 or below " + std::to_string(num_curves) + ", got " +
                  std::to_string(pairs.curve[k]));
    }
  }
  for (int64_t c = 0; c < num_curves; ++c) {
    if (node_row[c] < 0 || node_row[c + 1] < node_row[c] + 2 || !(grid[2 * c + 1] > 0) ||
        !std::isfinite(grid[2 * c]) || !std::isfinite(grid[2 * c + 1])) {
      throw Error("`node_row` and `grid` must give at least two nodes with a positive step, got " +
                  std::to_string(node_row[c + 1] - node_row[c]) + " nodes with step " +
                  std::to_string(grid[2 * c + 1]) + " for curve " + std::to_string(c));
    }
  }
  if (node_row[0] != 0 || node_row[num_curves] != num_nodes) {
    throw Error("`node_row` must go from 0 to the " + std::to_string(num_nodes) +
                " nodes of the table, got " + std::to_string(node_row[0]) + " to " +
                std::to_string(node_row[num_curves]));
  }
}

template <class T>
void embedding_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                          const ParallelFor& parallel, const T* rows, const T* upper,
                          T* nodes_grad) {
  table_grad<T, false>(pairs, table, parallel, rows, nullptr, upper, nodes_grad);
}

template <class T>
void embedding_tangent_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                                  const ParallelFor& parallel, const T* rows, const T* direction,
                                  const T* upper, T* nodes_grad) {
  table_grad<T, true>(pairs, table, parallel, rows, direction, upper, nodes_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                     \
  template void embedding_table_grad<T>(const CurvePairs&, const CurveTable<T>&,                  \
                                        const ParallelFor&, const T*, const T*, T*);              \
  template void embedding_tangent_table_grad<T>(const CurvePairs&, const CurveTable<T>&,          \
                                                const ParallelFor&, const T*, const T*, const T*, \
                                                T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
