// Ewald sums (long_range/ewald.h) on a GPU; all pointers but those of the grid are on the device.
// Bits depend neither on the order of blocks nor on the device. Coordinates are not checked.
#pragma once

#include "core/cuda/cuda.h"
#include "core/long_range/ewald.h"

namespace deeptf {

void structure_factor(const EwaldGrid& grid, const Charges& charges, const Cuda& cuda,
                      double* factor);
void ewald_energy(const EwaldGrid& grid, const double* factor, const Cuda& cuda, double* energy,
                  double* virial);
void ewald_forces(const EwaldGrid& grid, const Charges& charges, const double* factor,
                  const Cuda& cuda, double* force, double* potential);
void ewald_site_virial(const EwaldGrid& grid, const Charges& charges, const double* factor,
                       const Cuda& cuda, double* virial);

}  // namespace deeptf
