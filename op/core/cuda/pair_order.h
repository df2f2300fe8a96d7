// The order of geometry/pair_order.h and its reverse index, on a GPU: the same numbers.
//
// A warp has a centre; lanes whose neighbours have one type count themselves and take their places
// together, so pairs keep their order. The pairs of a neighbour arrive in any order and are then
// sorted by counting the smaller ones: no bit depends on the order of blocks.
#pragma once

#include "core/cuda/cuda.h"
#include "core/geometry/pair_order.h"

namespace deeptf {

// Where the counts go, on the device; see PairSorter.
struct PairCounts {
  int32_t* atom_order;      // [N_real]
  int32_t* atom_count;      // [T]
  int32_t* neighbor_count;  // [N_real, T]
  int32_t* pair_count;      // [T, T]
  int32_t* first_pair;      // [N_real, T]
  int32_t* pair_row;        // [N_all + 1]
};

// Arrays on the way, on the device. Places are those of owned atoms sorted by type; real ones come
// first.
struct SortedAtoms {
  PairList list;
  int64_t num_pairs;         // of the list, or the most that it may have
  bool exact;                // whether it must have as many
  int32_t num_centre_types;  // atoms of others are neighbours alone
  int32_t* atom;             // [owned] by place
  int32_t* type_start;       // [T + 1] first place of each type; the last: how many are real
  int32_t* count;            // [T, owned] pairs of (neighbour type, place)
  int32_t* first;            // [T, owned], and behind them the number of sorted pairs
  int32_t* seen;             // [N_all + 1] pairs of each neighbour, until they have their places
  int32_t* row;              // [N_all + 1] first place of each neighbour's pairs
  int32_t* wrong;            // whether something cannot be used
};

class CudaPairSorter {
 public:
  // Checks a list on the device and counts; waits for the device. Throws Error for what PairSorter
  // refuses, wrong displacements included, and for a row that does not end at num_pairs.
  CudaPairSorter(const PairList& list, int64_t num_pairs, const Cuda& cuda);

  // For a caller who knows N_real, the number of owned atoms of the first num_centre_types types,
  // and lets the list have up to most_pairs: waits for nothing and throws nothing. Owned atoms of
  // the other types drop out as centres. P' is most_pairs then, and nothing is known of the numbers
  // behind the pairs.
  CudaPairSorter(const PairList& list, int32_t num_centre_types, int64_t num_real,
                 int64_t most_pairs, const Cuda& cuda);

  int64_t num_real() const { return num_real_; }      // N_real
  int64_t num_sorted() const { return num_sorted_; }  // P'
  // On the device: not zero where the list cannot be used.
  const int32_t* wrong() const { return atoms_.wrong; }

  // Writes counts and pairs; once.
  void fill(const PairCounts& counts, const SortedPairs& pairs);

 private:
  void count();
  void sort_atoms();
  void count_pairs();
  [[noreturn]] void report() const;

  Cuda cuda_;
  SortedAtoms atoms_;
  int64_t num_real_ = 0, num_sorted_ = 0;
};

}  // namespace deeptf
