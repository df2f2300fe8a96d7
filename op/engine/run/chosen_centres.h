// Atoms of which some are neighbours alone: the virtual atoms of spins, or those without what a
// term is about.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/run/centres.h"

namespace deeptf {

class ChosenCentres final : public Centres {
 public:
  // Of `all`, which outlives this, the centres of the types that `chosen` says.
  ChosenCentres(const Centres& all, std::vector<bool> chosen);

  int64_t count() const override { return static_cast<int64_t>(slot_.size()); }
  const int32_t* atoms() const override { return atoms_.data(); }
  int64_t frame_of(int64_t atom) const override { return all_.frame_of(atom); }
  std::string names_of(int64_t atom, int64_t other) const override {
    return all_.names_of(atom, other);
  }
  void find(int64_t begin, int64_t end, FoundPairs* found) const override;

 private:
  const Centres& all_;
  const std::vector<bool> chosen_;     // [T]
  std::vector<int32_t> atoms_, slot_;  // of each centre; its place among all of them
};

// The first so many of some types.
inline std::vector<bool> first_types(int64_t number, int64_t num_types) {
  std::vector<bool> chosen(num_types, false);
  std::fill_n(chosen.begin(), number, true);
  return chosen;
}

}  // namespace deeptf
