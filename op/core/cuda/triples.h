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
  int64_t room;           // the most triples

  // Triples of two different neighbours.
  DEEPTF_HD int64_t of_two() const { return triple[num_types * (num_types + 1) / 2 * num_atoms]; }
  DEEPTF_HD int64_t number() const { return of_two() + pair[num_types * num_atoms]; }
  DEEPTF_HD bool has_room() const { return *wrong == 0 && number() <= room; }
};

constexpr int64_t kMostTriples = INT32_MAX;

// Memory comes from cuda.allocate.
PlacedTriples place_triples(const NeighborRuns& runs, const Cuda& cuda,
                            int64_t room = kMostTriples);

// Fills triple_count [n, T' + T] and returns the number of triples; waits for the device. Throws
// Error for what the CPU's refuses.
int64_t count_triples(const PlacedTriples& runs, const Cuda& cuda, int32_t* triple_count);
// The same without waiting and without Error: all counts are 0 where there is no room.
void fill_triple_counts(const PlacedTriples& runs, const Cuda& cuda, int32_t* triple_count);

// These wait for nothing, so counts are checked where triples are counted; where there is no room
// they do nothing.
void triple_products(const PlacedTriples& runs, const Cuda& cuda, const double* a, const double* b,
                     double* products);
void triple_sums(const PlacedTriples& runs, const Cuda& cuda, const double* b, const double* upper,
                 double* sums);

}  // namespace deeptf
