// The triples of a block of atoms on a device (core/geometry/triples.h), as pairs of blocks that
// stand for types of neighbours. Nothing waits for their number: there is room for so many as the
// step before had, and where that is too little, the step is done again (workspace.h).
#pragma once

#include <limits>

#include "core/cuda/curve_pairs.h"
#include "core/cuda/triples.h"
#include "engine/cuda/stage.h"
#include "engine/plan/triple_constants.h"

namespace deeptf::device {

struct NeedTriples {
  PlacedTriples runs;
  int64_t* most;

  DEEPTF_HD void operator()(int64_t) const {
    const int64_t number = *runs.wrong != 0 ? std::numeric_limits<int64_t>::max() : runs.number();
    if (number > *most) *most = number;
  }
};

struct Triples {
  PlacedTriples runs;
  PlacedPairs pairs;  // q of them; behind the last one may lie anything
  double* products;   // [q]

  int64_t number() const { return pairs.num_pairs; }
  // How many come before those of a neighbour with itself; on the device.
  const int64_t* of_two() const {
    return runs.triple + (runs.num_blocks() - runs.num_types) * runs.num_atoms;
  }
};

// What finds the triples of a block.
class TripleFinder {
 public:
  explicit TripleFinder(const TripleConstants& host)
      : curve_(host.curve.data(), static_cast<int64_t>(host.curve.size())),
        none_(host.none.data(), static_cast<int64_t>(host.none.size())) {}

  Triples find(const Block& block, const double* rows, const Values& values) const {
    const NeighborRuns runs{block.num_atoms, block.num_pairs, block.num_types,
                            block.neighbor_count};
    const PlacedTriples placed = place_triples(runs, block.cuda, block.most_triples);
    for_each(block.cuda, 1, NeedTriples{placed, block.num_triples});
    auto* count = values.keep<int32_t>(block.num_atoms * runs.num_blocks());
    fill_triple_counts(placed, block.cuda, count);
    const CurvePairs pairs{
        block.num_atoms, block.most_triples, runs.num_blocks(), 1,           block.atom_count,
        count,           curve_.data(),      none_.data(),      none_.data()};
    auto* products = values.keep<double>(block.most_triples);
    triple_products(placed, block.cuda, rows, rows, products);
    return {placed, place_pairs(pairs, block.cuda), products};
  }

 private:
  Constant<int32_t> curve_;
  Constant<double> none_;
};

// Adds the gradient in the rows from that in the products.
inline void pull_products(const Block& block, const Triples& triples, const double* rows,
                          const double* upper, int value, Values& values) {
  values.add_gradient<double>(value, [&](double* out) {
    triple_sums(triples.runs, block.cuda, rows, upper, out);
    for_each(block.cuda, 4 * block.num_pairs,
             Copy<double, double, false>{out, out, 2});  // both factors are rows
  });
}

}  // namespace deeptf::device
