// Brings pairs into the order in which the nets need them: one block per (neighbour type, centre
// type).
//
// A net belongs to a type pair; in this order its pairs are one slice, and inside the slice the
// pairs of one centre are next to each other. Centres are ordered by type. Virtual atoms (type < 0)
// drop out.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/context.h"

namespace deeptf {

struct PairList {
  int64_t num_centres;         // N
  int64_t num_all;             // N_all >= N; a neighbour may be a ghost
  int32_t num_types;           // T
  const int32_t* row;          // [N + 1]
  const int32_t* neighbor;     // [P]
  const double* displacement;  // [P, 3]
  const int32_t* atom_type;    // [N_all]

  int64_t num_pairs() const { return row[num_centres]; }
};

class PairSorter {
 public:
  // Checks the list and counts. Throws Error for an index or type out of range.
  PairSorter(const PairList& list, const Context& context);

  const std::vector<int32_t>& atom_order() const { return atom_order_; }  // [N_real]
  const std::vector<int32_t>& atom_count() const { return atom_count_; }  // [T]
  // [N_real, T], rows in the order of atom_order
  const std::vector<int32_t>& neighbor_count() const { return neighbor_count_; }
  // [T, T], neighbour type first
  const std::vector<int32_t>& pair_count() const { return pair_count_; }
  int64_t num_sorted() const { return num_sorted_; }  // P'

  // Fills centre [P'], neighbor [P'], displacement [P', 3]. Throws Error for a displacement of two
  // real atoms that is not finite or too short (apart.h).
  void fill(const Context& context, int32_t* centre, int32_t* neighbor, double* displacement) const;

 private:
  void check_row() const;
  void order_atoms();
  void count_neighbors(const Context& context);
  void place_blocks();

  PairList list_;
  std::vector<int32_t> atom_order_, atom_count_, neighbor_count_, pair_count_;
  std::vector<int32_t> first_;  // [N_real, T] place of the first pair of (centre, neighbour type)
  int64_t num_sorted_ = 0;
};

}  // namespace deeptf
