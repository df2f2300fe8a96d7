// Sums over neighbours of tabulated embedding nets, and the derivatives that training needs.
//
// A net G of one number x is given by its values and slopes at nodes (segments.h). Between nodes it
// is the cubic Hermite interpolant, beyond the last ones a straight line (so G has a continuous
// first derivative everywhere). Pairs beyond the range of the data are counted. With the row R_j
// [W] of pair j, x_j = R_j[0]:
//
//   embedding_sum          T_wm = sum_j c_jw G_m(x_j) + delta_w0 sum_t (sel_t - n_t) c_0 G_m(x_0)
//   embedding_sum_grad     r_jw = sum_m (c'_w G_m(x_j) Y_wm + delta_w0 G'_m(x_j) sum_v c_jv Y_vm)
//   embedding_sum_tangent  T'_wm = sum_j (c'_w a_jw G_m(x_j) + a_j0 c_jw G'_m(x_j))
//   embedding_table_grad          the gradient of sum_wm T_wm Y_wm to the nodes
//   embedding_tangent_table_grad  the gradient of sum_wm T'_wm Y_wm to the nodes
//
// The weight of a pair is its row where rows have four columns: c_j = R_j, c' = 1, c_0 = x_0
// (se_e2_a). Rows of one column are radial, and what they add is G alone: c_j = 1, c' = 0, c_0 = 1
// (se_e2_r). So the number of columns says it, and no weight is stored beside the rows.
//
// Sums, tangents, Y and the table have one precision T. In float32 the table is that of
// intervals.h. Rows, a direction in them and r are float64: they are geometry, and places on the
// grid need it.
//
// Y [n, W, M] is what multiplies the sums, a [p, W] a direction in the rows. The second part of T
// is that of the places without a neighbour (se_e2_a.py). Since sum_j a_j.r_j = sum Y T', the
// functions are closed under all derivatives but second ones in the rows.
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/base/host_device.h"
#include "core/curve/hermite.h"
#include "core/curve/segments.h"

namespace deeptf {

// Numbers in a padded row of a table: rows are whole multiples of 64 bytes.
template <class T>
constexpr int64_t padded_width(int64_t width) {
  constexpr int64_t unit = 64 / static_cast<int64_t>(sizeof(T));
  return (width + unit - 1) / unit * unit;
}

// Pairs in the order of pair_order.h: blocks (neighbour type, centre type), inside them by centre.
struct CurvePairs {
  int64_t num_atoms;              // n, sorted by type
  int64_t num_pairs;              // p
  int64_t num_types;              // T
  int64_t columns;                // W of the rows: 4 or 1
  const int32_t* atom_count;      // [T]
  const int32_t* neighbor_count;  // [n, T]
  const int32_t* curve;           // [T, T] neighbour type first; -1 leaves the block out
  const double* sel;              // [T] places of each neighbour type
  const double* empty;            // [T, T] x_0 of an empty place, neighbour type first

  // The radial weight of all empty places together of an atom with `count` neighbours in a block.
  DEEPTF_HD double empty_weight(int64_t block, int32_t count) const {
    const double places = sel[block / num_types] - count;
    return columns == 1 ? places : places * empty[block];
  }
};

// Rows of a table from one interval to the next: those of a node, which two intervals share, or in
// float32 the four of an interval. The table has K' such groups, or K' - 1.
template <class T>
constexpr int64_t kTableRows = kRise<T> ? 4 : 2;
template <class T>
constexpr int64_t table_groups(int64_t num_needed) {
  return kRise<T> ? num_needed - 1 : num_needed;
}

template <class T>
struct CurveTable {
  CurveSegments segments;
  int64_t width;              // M
  int64_t num_needed;         // K', at least 2
  const int32_t* needed_row;  // [nodes + 1]
  const T* nodes;             // [K', 2, padded M]: value, slope times step; see kTableRows

  // Whether the interval that begins at `node` is in the table, and where; where it is not, the
  // place is that of another one.
  DEEPTF_HD bool holds(int64_t node) const { return needed_row[node + 2] == needed_row[node] + 2; }
  DEEPTF_HD int64_t place(int64_t node) const {
    const int64_t place = needed_row[node], last = num_needed - 2;
    return place < last ? place : last;
  }
};

// What embedding_sum finds beyond the ranges of the data, for each block of pairs.
struct OutsidePairs {
  int32_t* count;    // [T, T] neighbour type first
  int32_t* closest;  // [T, T] the pair of largest x, the first one of several; -1 without any
};

// Throws Error unless all numbers are in range, and counts, curves and segments fit together.
void check_curves(const CurvePairs& pairs, const CurveSegments& segments);

// Throws Error for a row that is not finite or lies between nodes that the table does not hold. The
// other functions make nothing but wrong numbers of such rows.
template <class T>
void embedding_sum(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                   const double* rows, T* sum, const OutsidePairs& outside);
template <class T>
void embedding_sum_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                        const double* rows, const T* upper, double* rows_grad);
template <class T>
void embedding_sum_tangent(const CurvePairs& pairs, const CurveTable<T>& table,
                           const Context& context, const double* rows, const double* direction,
                           T* tangent);
// The two below fill an array like table.nodes, which is not read.
template <class T>
void embedding_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                          const Context& context, const double* rows, const T* upper,
                          T* nodes_grad);
template <class T>
void embedding_tangent_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                                  const Context& context, const double* rows,
                                  const double* direction, const T* upper, T* nodes_grad);

}  // namespace deeptf
