// Products of two neighbours and the sums that are their derivatives (geometry/triples.h) on a GPU;
// all pointers are on the device. Bits depend neither on the order of blocks nor on the device.
#pragma once

#include "core/cuda/cuda.h"
#include "core/geometry/triples.h"

namespace deeptf {

// Where the pairs of each neighbour type and centre begin, and the triples of each block of two
// different neighbours and centre; those of a neighbour with itself are the last ones.
struct PlacedTriples : NeighborRuns {
  const int64_t* pair;    // [T, n], and behind them how many there are
  const int64_t* triple;  // [T', n], and behind them how many there are
  int32_t* wrong;         // whether the counts are those of no list
};

// Memory comes from cuda.allocate.
PlacedTriples place_triples(const NeighborRuns& runs, const Cuda& cuda);

// Fills triple_count [n, T' + T] and returns the number of triples; waits for the device. Throws
// Error for what the CPU's refuses.
int64_t count_triples(const PlacedTriples& runs, const Cuda& cuda, int32_t* triple_count);

// These wait for nothing, so counts are checked where triples are counted.
void triple_products(const PlacedTriples& runs, const Cuda& cuda, const double* a, const double* b,
                     double* products);
void triple_sums(const PlacedTriples& runs, const Cuda& cuda, const double* b, const double* upper,
                 double* sums);

}  // namespace deeptf
