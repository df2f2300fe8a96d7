// Energies, forces and virials of all centres, block by block.
#pragma once

#include "engine/deeptf.h"
#include "engine/plan/plan.h"
#include "engine/run/centres.h"

namespace deeptf {

// How many atoms a thread takes at a time, how many threads there are, and deeptf_options::weight.
struct Shares {
  int threads;
  int64_t most_atoms;
  const double* weight;
};

// Sets the results that are wanted to those of no atoms.
void clear(const Inputs& inputs, const Centres& centres, const deeptf_results& results);

// Adds to the results that are wanted. Throws Error, then nothing is known of them.
void evaluate(const Plan& plan, const Inputs& inputs, const Centres& centres, const Shares& shares,
              const deeptf_results& results);

}  // namespace deeptf
