// Results of a step on a device, from the values and pair gradients of its plan.
#pragma once

#include "core/cuda/neighbors.h"
#include "core/geometry/force_virial.h"
#include "engine/cuda/transfers.h"
#include "engine/cuda/values.h"

namespace deeptf::device {

// Queues what sets all results to those of no atoms.
void clear_results(const Cuda& cuda, Downloads* results);

// Queues numbers [num_energies, width] of all atoms, from those [n, width] of a block; what others
// have stays as it is.
void place_numbers(const Block& block, int64_t width, const double* numbers, double* of_atom);

// The way back: those of the atoms of a block.
void take_numbers(const Block& block, int64_t width, const double* of_atom, double* numbers);

// Numbers in rows, those of a frame next to each other.
struct FrameRows {
  int64_t num_frames, num_rows;
  const int32_t* frame_row;  // [F + 1] first row of each frame, on the device
};

// Queues sums [F, width] of numbers [num_rows, width] over the rows of each frame.
void sum_frames(const Cuda& cuda, const FrameRows& rows, int64_t width, const double* of_row,
                double* of_frame);
// The same over atoms.
void sum_frames(const Block& block, int64_t width, const double* of_atom, double* of_frame);

// Queues forces and virials; those of atoms where `with_atoms`.
void add_forces(const Block& block, const PairsOfAtoms& pairs, const int32_t* neighbor,
                const double* pair_gradient, bool with_atoms, Downloads* results);

// Queues the outcome, from those of the search and of the sorting of its pairs.
void set_outcome(const Cuda& cuda, const SearchOutcome* search, const int32_t* wrong,
                 Downloads* results);

}  // namespace deeptf::device
