// The plan of a model on a device.
#pragma once

#include <vector>

#include "engine/cuda/stage.h"
#include "engine/plan/term.h"

namespace deeptf::device {

class Plan {
 public:
  // Throws Error where the plan is damaged, or a stage has no kernel on a device.
  Plan(const ModelFile& file, const Inputs& inputs);

  // Queues what gives atom_energy [n] of the atoms of a block and, unless it is null, pair_gradient
  // [p, 3], that of their sum to the displacements.
  void evaluate(const Block& block, double* atom_energy, double* pair_gradient) const;

 private:
  std::vector<Term<Stage>> terms_;
};

}  // namespace deeptf::device
