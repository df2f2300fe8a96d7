// The plan of a model: its terms, each a row of stages that ends in energies of the atoms. One of
// charges, which looks at all atoms together, is kept apart.
#pragma once

#include <memory>
#include <vector>

#include "engine/plan/dipole_charge.h"
#include "engine/plan/term.h"

namespace deeptf {

class Plan {
 public:
  // Whether the engine has all kernels of the plan that a file describes.
  static bool is_known(const Json& metadata);

  // Throws Error where the plan is damaged or does not fit the constants.
  Plan(const ModelFile& file, const Inputs& inputs);

  // As many atoms as a block should have, at least 1 and at most `most`.
  int64_t block_atoms(int64_t most) const;

  // atom_energy [n] of the atoms of a block and, unless it is null, pair_gradient [p, 3], that of
  // their sum to the displacements; charges left out.
  void evaluate(const AtomBlock& block, double* atom_energy, double* pair_gradient) const;

  const DipoleCharge* charges() const { return charges_.get(); }  // NULL without any

 private:
  std::vector<Term<Stage>> terms_;
  std::unique_ptr<DipoleCharge> charges_;
};

}  // namespace deeptf
