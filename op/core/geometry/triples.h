// Products of two neighbours of a centre, and the sums that are their derivatives.
//
// A triple is a centre and two of its neighbours j and k. With rows a_j, b_j of pairs, of which the
// last three of four columns are vectors:
//
//   triple_products  q_jk = (a_j . b_k + a_k . b_j) / 2
//   triple_sums      r_j  = sum over triples of dq_jk/da_j y_jk
//
// Both are linear in each of their two arrays, and the derivatives of one are the other, so that
// they are closed under all derivatives. The products of rows with themselves are v_j . v_k.
//
// Triples come in blocks: j of type s and k of type t > s, or j before k where both are of one
// type, for (s, t) = (0, 0), (0, 1) ... (T - 1, T - 1), T' = T (T + 1) / 2 blocks; then, as T
// further blocks, each neighbour with itself, j = k. Inside a block they are ordered by centre,
// then j, then k. So the last p triples are the pairs in their order.
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/base/host_device.h"

namespace deeptf {

// Pairs in the order of pair_order.h: by neighbour type, then by centre.
struct NeighborRuns {
  int64_t num_atoms;              // n
  int64_t num_pairs;              // p
  int64_t num_types;              // T
  const int32_t* neighbor_count;  // [n, T]

  DEEPTF_HD int64_t num_blocks() const { return num_types * (num_types + 3) / 2; }  // T' + T
};

// Fills triple_count [n, T' + T], how many triples of each block a centre has; returns their
// number. Throws Error where neighbor_count does not count the pairs, or triples are 2^31 or more.
int64_t count_triples(const NeighborRuns& runs, int32_t* triple_count);

// Rows are [p, 4]; products and upper [triples]; sums [p, 4], whose first column is zero.
void triple_products(const NeighborRuns& runs, const Context& context, const double* a,
                     const double* b, double* products);
void triple_sums(const NeighborRuns& runs, const Context& context, const double* b,
                 const double* upper, double* sums);

}  // namespace deeptf
