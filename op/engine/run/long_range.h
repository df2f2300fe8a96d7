// Charges of a frame, be its atoms here or shared out: vectors to the centres block by block, the
// sum over all charges, and what the forces on the centres do to the pairs of atoms, block by
// block.
#pragma once

#include "engine/plan/charges.h"
#include "engine/run/evaluate.h"

namespace deeptf {

// Where the charges are.
struct ChargedAtoms {
  const double* coord;  // [N, 3] A
  const double* cell;   // [F, 3, 3] A
};

// How the structure factor of a frame becomes that of all its parts; `add` may be NULL.
struct Parts {
  deeptf_add_parts add;
  void* of;
  int32_t number;  // how many parts there are
};

// Adds to the results that are wanted. Throws Error for a frame without a cell.
void add_long_range(const ChargeTerm& term, const Centres& centres, const ChargedAtoms& atoms,
                    const Parts& parts, const Shares& shares, const deeptf_results& results);

}  // namespace deeptf
