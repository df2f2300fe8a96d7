// Numbers of centres that their pairs decide (short_range/centre_pairs.h) on a GPU, one thread a
// centre; all arrays are on the device.
//
// Nothing waits for the device, so nothing is refused: the energy of an atom with a pair closer
// than a table knows is not a number, by which the caller knows it.
#pragma once

#include "core/cuda/cuda.h"
#include "core/short_range/centre_pairs.h"

namespace deeptf {

// Returns -1, whatever there is.
template <class Function>
int64_t pair_energies(const CentrePairs& in, const Function& function, const Cuda& cuda,
                      double* energy, double* gradient);

void soft_minimum(const CentrePairs& in, const SoftMinimum& of, const Cuda& cuda, double* value,
                  double* gradient);

}  // namespace deeptf
