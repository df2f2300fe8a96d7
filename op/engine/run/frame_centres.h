// Atoms by coordinates and cell: pairs are found with the bins of core/geometry/neighbors.h.
#pragma once

#include "core/geometry/neighbors.h"
#include "engine/deeptf.h"
#include "engine/run/centres.h"

namespace deeptf {

class FrameCentres final : public Centres {
 public:
  // `frames` has been checked and filled (check.h), and outlives this.
  FrameCentres(const deeptf_frames& frames, double rcut);

  int64_t count() const override { return search_.num_slots(); }
  const int32_t* atoms() const override { return search_.atom_of_slot(); }
  int64_t frame_of(int64_t atom) const override { return search_.frame_of_atom(atom); }
  std::string names_of(int64_t atom, int64_t other) const override;
  void find(int64_t begin, int64_t end, FoundPairs* found) const override;

 private:
  NeighborSearch search_;
  const int32_t* frame_row_;
};

}  // namespace deeptf
