// Forces and virials of geometry/force_virial.h on a GPU: a warp gathers the pairs of an atom,
// first its own, then those in which it is the neighbour. No atomics; no bit depends on the order
// of blocks.
//
// All pointers of the inputs are on the device. Nothing waits for it, so nothing is refused: where
// the CPU refuses an index, what it counts for is not a number.
#pragma once

#include "core/cuda/cuda.h"
#include "core/geometry/force_virial.h"

namespace deeptf {

void force_virial(const ForceInputs& in, const PairsOfAtoms& pairs, const Cuda& cuda,
                  const double* pair_gradient, double* force, double* virial);
void force_virial_grad(const ForceInputs& in, const Cuda& cuda, const double* force_grad,
                       const double* virial_grad, double* pair_gradient);
void atom_virial(const PairsOfAtoms& pairs, const Cuda& cuda, const double* displacement,
                 const double* pair_gradient, double* atom_virial);

}  // namespace deeptf
