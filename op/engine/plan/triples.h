// The triples of a block of atoms, as sums over them share; core/geometry/triples.h says what they
// are.
#pragma once

#include "engine/plan/triple_constants.h"
#include "engine/plan/values.h"

namespace deeptf {

struct Triples {
  NeighborRuns runs;
  int64_t number;    // q
  int32_t* count;    // [n, B]
  double* products;  // [q]
};

inline Triples find_triples(const AtomBlock& block, const double* rows, Values& values) {
  const NeighborRuns runs{block.num_atoms, block.num_pairs, block.num_types, block.neighbor_count};
  int32_t* count = values.keep<int32_t>(block.num_atoms * runs.num_blocks());
  const int64_t number = count_triples(runs, count);
  double* products = values.keep<double>(number);
  triple_products(runs, block.context, rows, rows, products);
  return {runs, number, count, products};
}

// Adds the gradient in the rows from that in the products, which it changes.
inline void pull_products(const AtomBlock& block, const Triples& triples, const double* rows,
                          double* upper, int value, Values& values) {
  for (int64_t k = 0; k < triples.number; ++k) upper[k] *= 2;  // both factors are rows
  values.add_gradient<double>(
      value, [&](double* out) { triple_sums(triples.runs, block.context, rows, upper, out); });
}

}  // namespace deeptf
