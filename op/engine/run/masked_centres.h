// Atoms of frames without a cell, some of which are not there: the others see all of these, however
// far apart. Those that are not there have no pairs, and may be anywhere.
#pragma once

#include "engine/run/frame_centres.h"

namespace deeptf {

// The types of the atoms that are there, -1 for others, [N]; of frames whose mask has been checked.
std::vector<int32_t> present_types(const deeptf_frames& frames);

class MaskedCentres final : public Centres {
 public:
  // `frames` has been checked, its mask too, and filled (check.h), and outlives this.
  MaskedCentres(const deeptf_frames& frames, double rcut);

  int64_t count() const override { return static_cast<int64_t>(atoms_.size()); }
  const int32_t* atoms() const override { return atoms_.data(); }
  int64_t frame_of(int64_t atom) const override { return present_.frame_of(atom); }
  std::string names_of(int64_t atom, int64_t other) const override {
    return present_.names_of(atom, other);
  }
  void find(int64_t begin, int64_t end, FoundPairs* found) const override;

 private:
  std::vector<int32_t> type_;  // [N] -1 for those that are not there
  deeptf_frames frames_;
  FrameCentres present_;
  std::vector<int32_t> atoms_;  // those that are there first
};

}  // namespace deeptf
