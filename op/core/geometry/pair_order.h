// Brings pairs into the order in which the nets need them: one block per (neighbour type, centre
// type).
//
// A net belongs to a type pair; in this order its pairs are one slice, and inside the slice the
// pairs of one centre are next to each other. Centres are ordered by type. Virtual atoms (type < 0)
// and centres that are not owned drop out. The same passes give the reverse index: the sorted pairs
// in which an atom is the neighbour. All of them lie in blocks of its type, so that threads which
// own ranges of centres write each its own part of that list.
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/base/scratch.h"

namespace deeptf {

struct PairList {
  int64_t num_centres;         // N
  int64_t num_owned;           // of these the first so many count
  int64_t num_all;             // N_all >= N; a neighbour may be a ghost
  int32_t num_types;           // T
  const int32_t* row;          // [N + 1]
  const int32_t* neighbor;     // [P]
  const double* displacement;  // [P, 3]
  const int32_t* atom_type;    // [N_all]

  int64_t num_pairs() const { return row[num_centres]; }
};

// Throws Error for a row that does not end at so many pairs.
void check_row_end(const PairList& list, int64_t num_pairs);

// Where the sorted pairs go.
struct SortedPairs {
  int32_t* centre;       // [P']
  int32_t* neighbor;     // [P']
  double* displacement;  // [P', 3]
  int32_t* pair_of;      // [P'] pairs by neighbour, those of one neighbour ascending
};

class PairSorter {
 public:
  // Checks the list and counts. Throws Error for an index, a type or num_owned out of range.
  PairSorter(const PairList& list, const Context& context);

  const Scratch<int32_t>& atom_order() const { return atom_order_; }  // [N_real]
  const Scratch<int32_t>& atom_count() const { return atom_count_; }  // [T]
  // [N_real, T], rows in the order of atom_order
  const Scratch<int32_t>& neighbor_count() const { return neighbor_count_; }
  // [T, T], neighbour type first
  const Scratch<int32_t>& pair_count() const { return pair_count_; }
  // [N_real, T] place of the first pair of (centre, neighbour type)
  const Scratch<int32_t>& first_pair() const { return first_pair_; }
  // [N_all + 1] first place in pair_of of each neighbour
  const Scratch<int32_t>& pair_row() const { return pair_row_; }
  int64_t num_sorted() const { return num_sorted_; }  // P'

  // Writes the pairs; once. Throws Error for a displacement of two real atoms that is not finite or
  // too short (apart.h).
  void fill(const Context& context, const SortedPairs& out);

 private:
  void order_atoms();
  void count_neighbors(const Context& context);
  void place_blocks();
  void place_neighbors(const Context& context);
  int64_t first_centre(int64_t part) const { return num_real_ * part / num_parts_; }

  PairList list_;
  int64_t num_real_;
  int64_t num_parts_;  // of the centres; no result depends on it
  int64_t num_sorted_ = 0;
  Scratch<int32_t> atom_order_, atom_count_, neighbor_count_, pair_count_, first_pair_, pair_row_;
  Scratch<int32_t> seen_;  // [parts, N_all] pairs of each neighbour
};

}  // namespace deeptf
