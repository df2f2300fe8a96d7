// Nearest neighbours in local axes (geometry/local_frames.h) on a GPU; all pointers are on the
// device. Bits do not depend on the order of blocks.
#pragma once

#include <vector>

#include "core/base/host_device.h"
#include "core/cuda/cuda.h"
#include "core/geometry/local_frames.h"

namespace deeptf {

// LocalFrames with arrays that a kernel can read.
struct PlacedFrames {
  double squared;  // of rcut
  int64_t num_types, num_angular, num_places;
  const int32_t *sel_a, *sel_r;     // [T]
  const int32_t *angular, *radial;  // [T] first place of each type
  const int32_t *rule_row, *rank;   // [2 T + 1] first of the places of each rule, [2 T]
  const int32_t* rule_place;        // those of all rules

  DEEPTF_HD int64_t num_chosen() const { return num_places + 2; }
  DEEPTF_HD int64_t width() const { return 3 * num_angular + num_places; }
  DEEPTF_HD int64_t place_of(int64_t type, int64_t number) const {
    return number < sel_a[type] ? angular[type] + number : radial[type] + number - sel_a[type];
  }
  // Where the numbers of a place are in a row.
  DEEPTF_HD int64_t column(int64_t place) const {
    return place < num_angular ? 4 * place : 3 * num_angular + place;
  }
};

// All numbers of these arrays, one behind the other; `there` is a copy of them on the device.
std::vector<int32_t> numbers_of(const LocalFrames& frames);
PlacedFrames placed_frames(const LocalFrames& frames, const int32_t* there);

// Atoms sorted by type, pairs in the order of pair_order.h.
struct PlacedFramesInputs {
  PlacedFrames frames;
  int64_t num_atoms, num_pairs;
  const int32_t* type;            // [n]
  const int32_t* neighbor_count;  // [n, T]
  const int32_t* first;           // [T, n] first pair of each neighbour type and atom
  const double* displacement;     // [p, 3]
};

void local_frames(const PlacedFramesInputs& in, const Cuda& cuda, double* rows, int32_t* chosen,
                  int32_t* lack);
// Atoms that lack something give no gradient.
void local_frames_grad(const PlacedFramesInputs& in, const Cuda& cuda, const int32_t* chosen,
                       const int32_t* lack, const double* upper, double* displacement_grad);

}  // namespace deeptf
