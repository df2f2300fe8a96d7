// Sums over neighbours of tabulated embedding nets, and the derivatives that training needs.
//
// A net G of one number x is given by its values and slopes at nodes, on the range of x that its
// data have and, where x is larger (pairs are closer), on some more. Both stretches are cut into
// segments of one width, each with equally spaced nodes of its own, the first and the last one at
// its ends: nodes are close where G bends. Between nodes it is the cubic Hermite interpolant,
// beyond the last ones a straight line (so G has a continuous first derivative everywhere).
// Pairs beyond the range of the data are counted. With the row R_j [4] of pair j, x_j = R_j[0]:
//
//   embedding_sum          T_wm = sum_j R_jw G_m(x_j) + delta_w0 sum_t (sel_t - n_t) x_0 G_m(x_0)
//   embedding_sum_grad     r_jw = sum_m (G_m(x_j) Y_wm + delta_w0 G'_m(x_j) sum_v R_jv Y_vm)
//   embedding_sum_tangent  T'_wm = sum_j (a_jw G_m(x_j) + a_j0 R_jw G'_m(x_j))
//   embedding_table_grad          the gradient of sum_wm T_wm Y_wm to the nodes
//   embedding_tangent_table_grad  the gradient of sum_wm T'_wm Y_wm to the nodes
//
// Y [n, 4, M] is what multiplies the sums, a [p, 4] a direction in the rows. The second part of T
// is that of the places without a neighbour (se_e2_a.py). Since sum_j a_j.r_j = sum Y T', the
// functions are closed under all derivatives but second ones in the rows.
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

constexpr int64_t kRowColumns = 4;

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
  const int32_t* atom_count;      // [T]
  const int32_t* neighbor_count;  // [n, T]
  const int32_t* curve;           // [T, T] neighbour type first; -1 leaves the block out
  const double* sel;              // [T] places of each neighbour type
  const double* empty;            // [T] x_0 of an empty place of each centre type
};

template <class T>
struct CurveTable {
  int64_t num_curves;       // C
  int64_t segments;         // S of each curve
  int64_t near;             // how many of them, the last ones, lie beyond the range of the data
  int64_t width;            // M
  const int32_t* node_row;  // [C S + 1] first node of each segment; it has at least two
  const double* grid;       // [C S, 2] x of the first node, step
  const T* nodes;           // [nodes, 2, padded M]: value, slope times step

  int64_t num_nodes() const { return node_row[num_curves * segments]; }
};

// What embedding_sum finds beyond the ranges of the data, for each block of pairs.
struct OutsidePairs {
  int32_t* count;    // [T, T] neighbour type first
  int32_t* closest;  // [T, T] the pair of largest x, the first one of several; -1 without any
};

// Throws Error unless all numbers are in range, and counts, curves and node rows fit together;
// `num_nodes` is the table's length.
template <class T>
void check_curves(const CurvePairs& pairs, const CurveTable<T>& table, int64_t num_nodes);

// Throws Error for a row that is not finite. The other functions make nothing but wrong numbers of
// such rows.
template <class T>
void embedding_sum(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                   const T* rows, T* sum, const OutsidePairs& outside);
template <class T>
void embedding_sum_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Context& context,
                        const T* rows, const T* upper, T* rows_grad);
template <class T>
void embedding_sum_tangent(const CurvePairs& pairs, const CurveTable<T>& table,
                           const Context& context, const T* rows, const T* direction, T* tangent);
// The two below fill nodes_grad [nodes, 2, padded M]; table.nodes is not read.
template <class T>
void embedding_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                          const Context& context, const T* rows, const T* upper, T* nodes_grad);
template <class T>
void embedding_tangent_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                                  const Context& context, const T* rows, const T* direction,
                                  const T* upper, T* nodes_grad);

}  // namespace deeptf
