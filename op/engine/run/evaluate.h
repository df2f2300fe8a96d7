// Energies, forces and virials of all centres, block by block.
#pragma once

#include "engine/deeptf.h"
#include "engine/plan/stage.h"
#include "engine/run/centres.h"

namespace deeptf {

// How many atoms a thread takes at a time, and how many threads there are.
struct Shares {
  int threads;
  int64_t most_atoms;
};

// What is evaluated block by block, on several threads at the same time.
class BlockModel {
 public:
  virtual ~BlockModel() = default;
  // As Plan::evaluate.
  virtual void evaluate(const AtomBlock& block, double* atom_energy,
                        double* pair_gradient) const = 0;
};

// Sets the results that are wanted to those of no atoms.
void clear(const Inputs& inputs, const Centres& centres, const deeptf_results& results);

// Adds to the results that are wanted. Throws Error, then nothing is known of them.
void evaluate(const BlockModel& model, const Inputs& inputs, const Centres& centres,
              const Shares& shares, const deeptf_results& results);

}  // namespace deeptf
