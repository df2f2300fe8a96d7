// Centres and pairs in the order in which stages take them (core/geometry/pair_order.h), and the
// way back.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/plan/values.h"
#include "engine/run/centres.h"

namespace deeptf {

class SortedBlock {
 public:
  // Sorts what was found.
  void sort(const FoundPairs& found, const Centres& centres, int64_t num_types, int64_t num_fparam,
            int64_t num_aparam);

  // Where a Pass over the block finds things; outside sums and context are those of the caller.
  AtomBlock block(const Context& context, int64_t* outside_count, double* outside_distance) const;

  int64_t num_pairs() const { return static_cast<int64_t>(neighbor_.size()); }
  int64_t place_of(int64_t centre) const { return place_[centre]; }
  const int32_t* neighbor() const { return neighbor_.data(); }
  const double* displacement() const { return displacement_.data(); }
  // Calls body(first pair, end) for the runs of pairs of a centre, by neighbour type.
  template <class Body>
  void over_runs(int64_t centre, const Body& body) const {
    const int64_t row = place_[centre] * num_types_;
    for (int64_t t = 0; t < num_types_; ++t) {
      const int64_t first = first_[row + t];
      body(first, first + neighbor_count_[row + t]);
    }
  }

 private:
  void order_atoms(const FoundPairs& found, const Centres& centres);
  void order_pairs(const FoundPairs& found, const Centres& centres);

  int64_t num_types_ = 0;
  std::vector<int32_t> atom_count_;         // [T]
  std::vector<int32_t> place_;              // [n] of each centre among the sorted ones
  std::vector<int32_t> type_;               // [n] sorted
  std::vector<int32_t> atom_;               // [n] sorted, which of all atoms
  std::vector<int32_t> neighbor_count_;     // [n, T] sorted
  std::vector<int32_t> first_;              // [n, T] first pair of each
  std::vector<int32_t> centre_, neighbor_;  // [p]
  std::vector<double> displacement_;        // [p, 3]
  std::vector<double> fparam_, aparam_;     // [n, ...] sorted
};

}  // namespace deeptf
