// The spins of a step on a device (run/spins.h).
#pragma once

#include "engine/cuda/transfers.h"
#include "engine/cuda/values.h"
#include "engine/run/spins.h"

namespace deeptf::device {

// All arrays are on the device.
struct SpinsOfStep {
  int64_t number;            // S
  const Spin* spin;          // [S] frame by frame
  const int32_t* frame_row;  // [F + 1] first spin of each frame
  const double* coord;       // [num_all, 3] A
  const double* cell;        // [F, 3, 3] A; NULL: none
};

// Queues give_back() on forces and virials, which are there; on those of atoms where `with_atoms`.
void give_back(const Block& block, const SpinsOfStep& spins, bool with_atoms, Downloads* results);

}  // namespace deeptf::device
