// Results of a step on a device, from the energies and pair gradients of its plan.
#pragma once

#include "core/cuda/neighbors.h"
#include "core/geometry/force_virial.h"
#include "engine/cuda/transfers.h"
#include "engine/cuda/values.h"

namespace deeptf::device {

// Queues what sets all results to those of no atoms.
void clear_results(const Cuda& cuda, Downloads* results);

// Queues energies of frames and atoms, from those [n] of a block.
void add_energies(const Block& block, const double* energy, Downloads* results);

// Queues forces and virials; those of atoms where `with_atoms`.
void add_forces(const Block& block, const PairsOfAtoms& pairs, const int32_t* neighbor,
                const double* pair_gradient, bool with_atoms, Downloads* results);

// Queues the outcome, from those of the search and of the sorting of its pairs.
void set_outcome(const Cuda& cuda, const SearchOutcome* search, const int32_t* wrong,
                 Downloads* results);

}  // namespace deeptf::device
