// The atoms of an evaluation, and how the pairs of each are found.
//
// Centres are gone through in one order, block by block; it decides the order of all sums, so that
// neither threads nor the size of blocks change a bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/geometry/neighbors.h"

namespace deeptf {

// Centres and their pairs.
struct FoundPairs : PairsOfSlots {
  std::vector<int32_t> atom;  // of each centre

  int64_t num_centres() const { return static_cast<int64_t>(atom.size()); }
};

class Centres {
 public:
  virtual ~Centres() = default;

  int64_t num_atoms = 0;           // N_all, ghosts included
  int64_t num_frames = 1;          // F
  const int32_t* type = nullptr;   // [N_all]
  const double* fparam = nullptr;  // [F, num_fparam]
  const double* aparam = nullptr;  // of each atom that may be a centre

  virtual int64_t count() const = 0;         // centres
  virtual const int32_t* atoms() const = 0;  // [count] in their order
  virtual int64_t frame_of(int64_t atom) const = 0;
  // What messages call two atoms.
  virtual std::string names_of(int64_t atom, int64_t other) const = 0;
  // Finds the pairs of the centres from begin to end - 1. Throws Error, with the atoms, for two
  // that are at one place.
  virtual void find(int64_t begin, int64_t end, FoundPairs* found) const = 0;
};

}  // namespace deeptf
