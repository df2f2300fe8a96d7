// The term of charges in a plan: stages that end in a vector of each atom, which leads to the
// charge of its centre. The sum over charges is of all blocks together (run/long_range.h).
#pragma once

#include <string>
#include <vector>

#include "engine/plan/term.h"

namespace deeptf {

class DipoleCharge {
 public:
  // Of the last stage of such a term.
  static constexpr char kKernel[] = "dipole_charge";
  static bool is_one(const Json& term);

  // Throws Error where the term is damaged or does not fit the constants.
  DipoleCharge(const Json& term, const ModelFile& file, const Inputs& inputs);

  // shift [n, 3] of the atoms of a block.
  void shifts(const AtomBlock& block, double* shift) const;
  // pair_gradient [p, 3]: that of the energy to the displacements, from dE/d(shift) [n, 3].
  void pull(const AtomBlock& block, const double* gradient, double* pair_gradient) const;

  double beta, spacing;                // 1/A, A
  std::vector<double> charge, centre;  // of atoms and of centres, by type
  std::vector<bool> has_centre;

 private:
  Term<Stage> dipole_;  // its atom_energy is the number of the shift
};

}  // namespace deeptf
