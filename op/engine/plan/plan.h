// The plan of a model: its terms, each a row of stages that ends in a property of the atoms. A term
// of charges, which looks at all atoms together, is apart (charges.h).
#pragma once

#include <vector>

#include "engine/plan/stage.h"
#include "engine/plan/term.h"

namespace deeptf {

class Plan {
 public:
  // Whether the engine has all kernels of the plan that a file describes.
  static bool is_known(const Json& metadata);

  // Throws Error where the plan is damaged or does not fit the constants.
  Plan(const ModelFile& file, const Inputs& inputs);
  Plan(Term<Stage> term, int64_t width);

  // As many atoms as a block should have, at least 1 and at most `most`.
  int64_t block_atoms(int64_t most) const;

  // value [n, width] of the atoms of a block and, unless it is null, pair_gradient [p, 3], that of
  // sum_i weight_i . value_i to the displacements. Without weight [n, width] all are 1.
  void evaluate(const AtomBlock& block, const double* weight, double* value,
                double* pair_gradient) const;

 private:
  int64_t width_;
  std::vector<Term<Stage>> terms_;
};

}  // namespace deeptf
