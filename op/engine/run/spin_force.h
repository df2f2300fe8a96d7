// What the force at the virtual atom of a spin becomes, for CPU and GPU.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/base/host_device.h"
#include "core/geometry/bin_grid.h"

namespace deeptf {

// An atom with its virtual one.
struct Spin {
  int32_t frame, real, virtual_atom;
  double factor;  // virtual_len / spin_norm
};

// From an atom to its virtual one, to the nearest image where the frame has a cell. coord [N, 3];
// cell [F, 3, 3], NULL: none.
DEEPTF_HD inline void spin_shift(const Spin& spin, const double* coord, const double* cell,
                                 double* shift) {
  const double *from = coord + 3 * int64_t{spin.real}, *to = coord + 3 * int64_t{spin.virtual_atom};
  for (int k = 0; k < 3; ++k) shift[k] = to[k] - from[k];
  if (cell == nullptr) return;
  BinGrid grid;
  grid.periodic = false;
  for (int k = 0; k < 9; ++k) {
    grid.cell[k] = cell[9 * int64_t{spin.frame} + k];
    grid.periodic = grid.periodic || grid.cell[k] != 0;
  }
  if (!grid.periodic) return;
  invert_cell(&grid);
  double share[3], image[3];
  row_times_matrix(shift, grid.inverse, share);
  for (double& one : share) one = std::nearbyint(one);
  row_times_matrix(share, grid.cell, image);
  for (int k = 0; k < 3; ++k) shift[k] -= image[k];
}

// From -dE/d(place) at both atoms of a spin, in force [N, 3], to the force on the atom and the
// magnetic one; sets what goes with it to the virial [9].
DEEPTF_HD inline void give_back_force(const Spin& spin, const double* shift, double* force,
                                      double* virial) {
  double *own = force + 3 * int64_t{spin.virtual_atom}, *on_atom = force + 3 * int64_t{spin.real};
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) virial[3 * a + b] = -own[a] * shift[b];
  }
  for (int k = 0; k < 3; ++k) {
    on_atom[k] += own[k];
    own[k] *= spin.factor;
  }
}

}  // namespace deeptf
