// Atoms with spins: each has a virtual atom beside it, a neighbour without energy, which says where
// its spin points. deeptf/model/spin.py has the equations.
#pragma once

#include <vector>

#include "engine/deeptf.h"
#include "engine/run/spin_force.h"

namespace deeptf {

// What a model says of the first real types; the virtual ones are the last types, in that order.
struct SpinTypes {
  std::vector<double> virtual_len, spin_norm;

  int32_t count() const { return static_cast<int32_t>(virtual_len.size()); }
};

// The spins of some frames, frame by frame.
struct Spins {
  std::vector<Spin> spin;
  std::vector<int32_t> frame_row;  // [F + 1] first spin of each frame
};

// The n-th virtual atom of a type belongs to the n-th atom of its type in the frame. frame_row
// [num_frames + 1], type [N_all]; num_types is that of all types of the model. Throws Error where
// an atom lacks its virtual one.
Spins find_spins(const SpinTypes& types, int64_t num_types, int64_t num_frames,
                 const int32_t* frame_row, const int32_t* type);

// Turns -dE/d(place) of all atoms in results.force, which is there, into forces on atoms at
// constant spins, with magnetic forces in the places of virtual atoms, and virials into those of a
// strain that turns no spin. coord [N_all, 3]; cell [F, 3, 3], NULL: none.
void give_back(const Spins& spins, const double* coord, const double* cell,
               const deeptf_results& results);

}  // namespace deeptf
