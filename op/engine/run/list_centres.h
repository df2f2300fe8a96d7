// Atoms with neighbours that the caller has found.
#pragma once

#include "engine/deeptf.h"
#include "engine/run/centres.h"

namespace deeptf {

// Lists of an MD engine, where ghosts stand at their own places.
class ListCentres final : public Centres {
 public:
  // `list` has been checked (check.h) and outlives this. Atoms of the types from num_real_types on
  // are neighbours alone.
  ListCentres(const deeptf_neighbor_list& list, double rcut, int64_t num_real_types);

  int64_t count() const override { return static_cast<int64_t>(atom_.size()); }
  const int32_t* atoms() const override { return atom_.data(); }
  int64_t frame_of(int64_t) const override { return 0; }
  std::string names_of(int64_t atom, int64_t other) const override;
  void find(int64_t begin, int64_t end, FoundPairs* found) const override;

 private:
  const deeptf_neighbor_list& list_;
  double rcut_;
  std::vector<int32_t> place_;  // of the list of each centre; -1: it has none
  std::vector<int32_t> atom_;   // of each centre
};

// Pairs with their displacements.
class PairCentres final : public Centres {
 public:
  explicit PairCentres(const deeptf_pairs& pairs);

  int64_t count() const override { return static_cast<int64_t>(atom_.size()); }
  const int32_t* atoms() const override { return atom_.data(); }
  int64_t frame_of(int64_t) const override { return 0; }
  std::string names_of(int64_t atom, int64_t other) const override;
  void find(int64_t begin, int64_t end, FoundPairs* found) const override;

 private:
  const deeptf_pairs& pairs_;
  std::vector<int32_t> atom_;
};

}  // namespace deeptf
