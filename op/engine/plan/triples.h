// The triples of a block of atoms, as sums over them share; core/geometry/triples.h says what they
// are.
#pragma once

#include <string>

#include "core/geometry/triples.h"
#include "engine/plan/stage.h"

namespace deeptf {

inline int64_t blocks_of_triples(int64_t types) {
  return NeighborRuns{0, 0, types, nullptr}.num_blocks();
}

// The number of the value that a stage takes.
inline int rows_of_triples(const StageReader& reader) {
  const ValueType& rows = reader.type_of(reader.takes());
  if (!rows.of_pairs || rows.width != 4) throw Error("a sum over triples must take rows of 4");
  return reader.takes();
}

inline void check_nets_of_triples(int64_t nets, int64_t types) {
  const int64_t blocks = blocks_of_triples(types);
  if (nets == blocks) return;
  throw Error("a sum over triples must have " + std::to_string(blocks) + " nets for " +
              std::to_string(types) + " types, got " + std::to_string(nets));
}

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
