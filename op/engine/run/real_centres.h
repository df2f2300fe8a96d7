// Atoms by coordinates of which some are neighbours alone: the virtual atoms of spins.
#pragma once

#include "engine/run/frame_centres.h"

namespace deeptf {

class RealCentres final : public Centres {
 public:
  // As FrameCentres; atoms of the types from num_real_types on are no centres.
  RealCentres(const deeptf_frames& frames, double rcut, int64_t num_real_types);

  int64_t count() const override { return static_cast<int64_t>(slot_.size()); }
  const int32_t* atoms() const override { return atoms_.data(); }
  int64_t frame_of(int64_t atom) const override { return all_.frame_of(atom); }
  std::string names_of(int64_t atom, int64_t other) const override {
    return all_.names_of(atom, other);
  }
  void find(int64_t begin, int64_t end, FoundPairs* found) const override;

 private:
  FrameCentres all_;
  const int64_t num_real_types_;
  std::vector<int32_t> atoms_, slot_;  // of each centre; its place among all atoms
};

}  // namespace deeptf
