// See embedding_sum.h. The places of all pairs on their grids are found once; then sums and row
// gradients are threaded over atoms, table gradients over (columns, curve): each number is written
// by one thread and adds its pairs in one order, so that bits do not depend on threads.
#include "core/embedding_sum.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/hermite.h"
#include "core/lane.h"

namespace deeptf {
namespace {

constexpr int kTableBlock = 5;  // lanes of a table gradient that stay together

// Where the pairs of every (atom, neighbour type) begin, and places on the grids.
template <class T>
class Layout {
 public:
  Layout(const CurvePairs& pairs, const CurveTable<T>& table)
      : pairs_(pairs),
        table_(table),
        first_(pairs.num_atoms * pairs.num_types),
        type_(pairs.num_atoms),
        inverse_step_(table.num_curves) {
    const int64_t types = pairs.num_types;
    for (int64_t c = 0, atom = 0; c < types; ++c) {
      for (int32_t k = 0; k < pairs.atom_count[c]; ++k) type_[atom++] = static_cast<int32_t>(c);
    }
    int64_t pair = 0;
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < pairs.num_atoms; ++atom) {
        first_[atom * types + t] = pair;
        pair += pairs.neighbor_count[atom * types + t];
      }
    }
    for (int64_t k = 0; k < table.num_curves; ++k) inverse_step_[k] = 1 / table.grid[2 * k + 1];
  }

  int64_t first(int64_t atom, int64_t t) const { return first_[atom * pairs_.num_types + t]; }
  int64_t count(int64_t atom, int64_t t) const {
    return pairs_.neighbor_count[atom * pairs_.num_types + t];
  }
  // The curve of the pairs of `atom` with neighbours of type t; -1: none.
  int32_t curve(int64_t atom, int64_t t) const {
    return pairs_.curve[t * pairs_.num_types + type_[atom]];
  }
  HermitePlace<T> place(int32_t curve, double x) const {
    const int32_t first = table_.node_row[curve];
    return hermite_place<T>(x, table_.grid[2 * curve], inverse_step_[curve], first,
                            table_.node_row[curve + 1] - first);
  }
  double empty_x(int64_t atom) const { return pairs_.empty[type_[atom]]; }
  // (sel - n) x_0: the radial weight of all empty places of one atom and neighbour type together.
  T empty_weight(int64_t atom, int64_t t) const {
    return static_cast<T>((pairs_.sel[t] - static_cast<double>(count(atom, t))) * empty_x(atom));
  }

 private:
  CurvePairs pairs_;
  CurveTable<T> table_;
  std::vector<int64_t> first_;
  std::vector<int32_t> type_;
  std::vector<double> inverse_step_;
};

// What a term adds to the sums of an atom: weight (x) G + slope_weight (x) G'.
template <class T>
struct Term {
  Term() {}  // no zeros: one is made for every pair
  const T* nodes;
  T value[4], derivative[4];
  T weight[kRowColumns], slope_weight[kRowColumns];
};

template <class T>
void set_place(const HermitePlace<T>& place, const CurveTable<T>& table, Term<T>* term) {
  term->nodes = table.nodes + place.node * 2 * padded_width<T>(table.width);
  std::copy(place.value, place.value + 4, term->value);
  std::copy(place.derivative, place.derivative + 4, term->derivative);
}

// The terms of T of one atom: its pairs, and its empty places.
template <class T>
void atom_terms(const Layout<T>& layout, const CurveTable<T>& table, int64_t types, const T* rows,
                int64_t atom, std::vector<Term<T>>* terms) {
  terms->clear();
  for (int64_t t = 0; t < types; ++t) {
    const int32_t curve = layout.curve(atom, t);
    if (curve < 0) continue;
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    for (int64_t pair = begin; pair < end; ++pair) {
      const T* row = rows + pair * kRowColumns;
      Term<T>& term = terms->emplace_back();
      set_place(layout.place(curve, row[0]), table, &term);
      std::copy_n(row, kRowColumns, term.weight);
    }
    if (layout.empty_weight(atom, t) != 0) {
      Term<T>& term = terms->emplace_back();
      set_place(layout.place(curve, layout.empty_x(atom)), table, &term);
      std::fill_n(term.weight, kRowColumns, T(0));
      term.weight[0] = layout.empty_weight(atom, t);
    }
  }
}

// The terms of T' of one atom.
template <class T>
void atom_tangent_terms(const Layout<T>& layout, const CurveTable<T>& table, int64_t types,
                        const T* rows, const T* direction, int64_t atom,
                        std::vector<Term<T>>* terms) {
  terms->clear();
  for (int64_t t = 0; t < types; ++t) {
    const int32_t curve = layout.curve(atom, t);
    if (curve < 0) continue;
    const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
    for (int64_t pair = begin; pair < end; ++pair) {
      const T *row = rows + pair * kRowColumns, *a = direction + pair * kRowColumns;
      Term<T>& term = terms->emplace_back();
      set_place(layout.place(curve, row[0]), table, &term);
      for (int64_t w = 0; w < kRowColumns; ++w) {
        term.weight[w] = a[w];
        term.slope_weight[w] = a[0] * row[w];
      }
    }
  }
}

// Four node numbers times their weights, for B lanes.
template <class T, int B>
inline void interpolate(const T* node, int64_t stride, const T* weight, Lane<T>* g) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    Lane<T> w = Lane<T>{} + weight[i];
    hold(w);
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) {
      const Lane<T> t = load(node + i * stride + b * kLane<T>);
      g[b] = i == 0 ? w * t : g[b] + w * t;
    }
  }
}

// sum[w, 0 : B lanes] over the terms of one atom; rows of `sum` are `stride` apart.
template <class T, int B, bool kTangent>
void sum_block(const std::vector<Term<T>>& terms, int64_t node_stride, int64_t start, T* sum,
               int64_t stride) {
  Lane<T> total[kRowColumns][B] = {};
  const auto add = [&](const T* weight, const Lane<T>* g) {
#pragma GCC unroll 4
    for (int w = 0; w < kRowColumns; ++w) {
      Lane<T> factor = Lane<T>{} + weight[w];
      hold(factor);
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b) total[w][b] += factor * g[b];
    }
  };
  for (const Term<T>& term : terms) {
    Lane<T> g[B];
    interpolate<T, B>(term.nodes + start, node_stride, term.value, g);
    add(term.weight, g);
    if constexpr (kTangent) {
      interpolate<T, B>(term.nodes + start, node_stride, term.derivative, g);
      add(term.slope_weight, g);
    }
  }
#pragma GCC unroll 4
  for (int w = 0; w < kRowColumns; ++w) {
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) store(sum + w * stride + b * kLane<T>, total[w][b]);
  }
}

// All columns of the sums of one atom, into out [4, M].
template <class T, bool kTangent>
void sum_terms(const std::vector<Term<T>>& terms, int64_t width, std::vector<T>* scratch, T* out) {
  const int64_t padded = padded_width<T>(width), lanes = padded / kLane<T>;
  scratch->resize(kRowColumns * padded);
  int64_t lane = 0;
  for (; lane + kMaxBlock <= lanes; lane += kMaxBlock) {
    const int64_t start = lane * kLane<T>;
    sum_block<T, kMaxBlock, kTangent>(terms, padded, start, scratch->data() + start, padded);
  }
  for (; lane < lanes; ++lane) {
    const int64_t start = lane * kLane<T>;
    sum_block<T, 1, kTangent>(terms, padded, start, scratch->data() + start, padded);
  }
  for (int64_t w = 0; w < kRowColumns; ++w) {
    std::copy_n(scratch->data() + w * padded, width, out + w * width);
  }
}

// Copies upper [4, M] of an atom into rows of padded width; the padding is zero.
template <class T>
void pad_rows(const T* upper, int64_t width, std::vector<T>* out) {
  const int64_t padded = padded_width<T>(width);
  out->assign(kRowColumns * padded, T(0));
  for (int64_t w = 0; w < kRowColumns; ++w) {
    std::copy_n(upper + w * width, width, out->data() + w * padded);
  }
}

// r [4] of one pair from the padded upper of its atom.
template <class T>
void row_grad(const Term<T>& term, int64_t padded, const T* upper, T* out) {
  static_assert(kLane<T> <= 16);
  constexpr int kSums = kLane<T> > 8 ? 16 : 8;  // a multiple of the lane; five are used
  Lane<T> total[kSums] = {};
  for (int64_t start = 0; start < padded; start += kLane<T>) {
    const T* node = term.nodes + start;
    Lane<T> g = {}, d = {}, mixed = {};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      Lane<T> t = load(node + i * padded);
      hold(t);
      g += term.value[i] * t;
      d += term.derivative[i] * t;
    }
#pragma GCC unroll 4
    for (int w = 0; w < kRowColumns; ++w) {
      Lane<T> y = load(upper + w * padded + start);
      hold(y);
      total[w] += g * y;
      mixed += term.weight[w] * y;
    }
    total[4] += d * mixed;
  }
  T sums[kSums];
  for (int k = 0; k < kSums; k += kLane<T>) store(sums + k, sums_of<T>(total + k));
  for (int w = 0; w < kRowColumns; ++w) out[w] = sums[w];
  out[0] += sums[4];
}

// Calls body(atom) for every atom, each time with the same scratch of a thread.
template <class Body>
void over_atoms(const CurvePairs& pairs, int64_t width, const ParallelFor& parallel,
                const Body& make_body) {
  const int64_t terms = pairs.num_pairs / std::max<int64_t>(1, pairs.num_atoms) + pairs.num_types;
  parallel(pairs.num_atoms, 100 + terms * width * 3, [&](int64_t begin, int64_t end) {
    auto body = make_body();
    for (int64_t atom = begin; atom < end; ++atom) body(atom);
  });
}

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
void embedding_sum(const CurvePairs& pairs, const CurveTable<T>& table, const ParallelFor& parallel,
                   const T* rows, T* sum) {
  const Layout<T> layout(pairs, table);
  over_atoms(pairs, table.width, parallel, [&] {
    return [&, terms = std::vector<Term<T>>(), scratch = std::vector<T>()](int64_t atom) mutable {
      atom_terms(layout, table, pairs.num_types, rows, atom, &terms);
      sum_terms<T, false>(terms, table.width, &scratch, sum + atom * kRowColumns * table.width);
    };
  });
}

template <class T>
void embedding_sum_tangent(const CurvePairs& pairs, const CurveTable<T>& table,
                           const ParallelFor& parallel, const T* rows, const T* direction,
                           T* tangent) {
  const Layout<T> layout(pairs, table);
  over_atoms(pairs, table.width, parallel, [&] {
    return [&, terms = std::vector<Term<T>>(), scratch = std::vector<T>()](int64_t atom) mutable {
      atom_tangent_terms(layout, table, pairs.num_types, rows, direction, atom, &terms);
      sum_terms<T, true>(terms, table.width, &scratch, tangent + atom * kRowColumns * table.width);
    };
  });
}

template <class T>
void embedding_sum_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                        const ParallelFor& parallel, const T* rows, const T* upper, T* rows_grad) {
  const Layout<T> layout(pairs, table);
  const int64_t padded = padded_width<T>(table.width);
  over_atoms(pairs, table.width, parallel, [&] {
    return [&, y = std::vector<T>()](int64_t atom) mutable {
      pad_rows(upper + atom * kRowColumns * table.width, table.width, &y);
      for (int64_t t = 0; t < pairs.num_types; ++t) {
        const int64_t begin = layout.first(atom, t), end = begin + layout.count(atom, t);
        const int32_t curve = layout.curve(atom, t);
        if (curve < 0) std::fill(rows_grad + begin * 4, rows_grad + end * 4, T(0));
        for (int64_t pair = begin; pair < end && curve >= 0; ++pair) {
          const T* row = rows + pair * kRowColumns;
          Term<T> term;
          set_place(layout.place(curve, row[0]), table, &term);
          std::copy_n(row, kRowColumns, term.weight);
          row_grad(term, padded, y.data(), rows_grad + pair * kRowColumns);
        }
      }
    };
  });
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

#define DEEPTF_INSTANTIATE(T)                                                                      \
  template void embedding_sum<T>(const CurvePairs&, const CurveTable<T>&, const ParallelFor&,      \
                                 const T*, T*);                                                    \
  template void embedding_sum_grad<T>(const CurvePairs&, const CurveTable<T>&, const ParallelFor&, \
                                      const T*, const T*, T*);                                     \
  template void embedding_sum_tangent<T>(const CurvePairs&, const CurveTable<T>&,                  \
                                         const ParallelFor&, const T*, const T*, T*);              \
  template void embedding_table_grad<T>(const CurvePairs&, const CurveTable<T>&,                   \
                                        const ParallelFor&, const T*, const T*, T*);               \
  template void embedding_tangent_table_grad<T>(const CurvePairs&, const CurveTable<T>&,           \
                                                const ParallelFor&, const T*, const T*, const T*,  \
                                                T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
