// Sums over neighbours of one tabulated net with gates for pairs of types, and the derivatives that
// training needs: those of sum.h with G_jm = g_m(x_j) a_jm, a_jm = 1 + p_j h_bm in place of G.
//
// h_b [M] is the gate of the block of pair j (neighbour type, centre type) and p_j its share, 1
// where none are given. With the row R_j [4] of pair j, its weight, and x_j = R_j[0]:
//
//   gated_sum          T_wm = sum_j R_jw a_jm g_m(x_j)
//   gated_sum_grad     r_jw = sum_m a_jm (g_m Y_wm + delta_w0 g'_m D_jm)    D_jm = sum_w R_jw Y_wm
//                      q_j  = sum_m h_bm g_m D_jm                           the gradient to p_j
//   gated_sum_tangent  T'_wm = sum_j (a_jm (A_jw g_m + A_j0 R_jw g'_m) + B_j h_bm R_jw g_m)
//   gate_grad                 H_bm = sum_{j in b} p_j g_m D_jm
//   gate_tangent_grad         sum_{j in b} (p_j (g_m sum_w A_jw Y_wm + A_j0 g'_m D_jm) + B_j g_m
//   D_jm) gated_table_grad          the gradient of sum_wm T_wm Y_wm to the nodes
//   gated_tangent_table_grad  the gradient of sum_wm T'_wm Y_wm to the nodes
//
// A [p, 4] and B [p] are directions in the rows and shares. Since sum_j (A_j.r_j + B_j q_j) =
// sum Y T', the functions are closed under all derivatives but second ones in rows and shares.
// Places without a neighbour have no gate: they add what they do in sum.h. Precisions are those of
// sum.h; shares and B are geometry, so float64.
#pragma once

#include "core/curve/sum.h"

namespace deeptf {

template <class T>
struct Gates {
  const T* gate;        // [T, T, M] h, neighbour type first
  const double* share;  // [p] or null

  DEEPTF_HD T share_of(int64_t pair) const {
    return share == nullptr ? T(1) : static_cast<T>(share[pair]);
  }
};

// A direction in rows and shares.
struct GatedDirection {
  const double* rows;   // [p, 4]
  const double* share;  // [p]; null where there are no shares

  DEEPTF_HD double share_of(int64_t pair) const { return share == nullptr ? 0 : share[pair]; }
};

// Throws Error unless rows have four columns.
void check_gated(const CurvePairs& pairs);

// Throws like embedding_sum.
template <class T>
void gated_sum(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Context& context, const double* rows, T* sum, const OutsidePairs& outside);
// Fills share_grad [p] where there are shares.
template <class T>
void gated_sum_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                    const Context& context, const double* rows, const T* upper, double* rows_grad,
                    double* share_grad);
template <class T>
void gated_sum_tangent(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Context& context, const double* rows, const GatedDirection& direction,
                       T* tangent);
// Both fill gate_grad [T, T, M].
template <class T>
void gate_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Context& context, const double* rows, const T* upper, T* gate_grad);
template <class T>
void gate_tangent_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Context& context, const double* rows, const GatedDirection& direction,
                       const T* upper, T* gate_grad);
// Both fill an array like table.nodes, which is not read.
template <class T>
void gated_table_grad(const CurvePairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                      const Context& context, const double* rows, const T* upper, T* nodes_grad);
template <class T>
void gated_tangent_table_grad(const CurvePairs& pairs, const CurveTable<T>& table,
                              const Gates<T>& gates, const Context& context, const double* rows,
                              const GatedDirection& direction, const T* upper, T* nodes_grad);

}  // namespace deeptf
