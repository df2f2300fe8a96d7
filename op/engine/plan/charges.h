// The term of charges in a plan: stages that end in a vector of each atom, to the charge of its
// centre. The sum over charges is of all blocks together (run/long_range.h).
#pragma once

#include <memory>
#include <vector>

#include "engine/plan/plan.h"

namespace deeptf {

struct ChargeTerm {
  // Throws Error where the term is damaged or does not fit the constants.
  ChargeTerm(const Json& term, const ModelFile& file, const Inputs& inputs);

  Inputs inputs;                       // of the vectors
  std::unique_ptr<Plan> shifts;        // gives them
  double beta, spacing;                // 1/A, A
  std::vector<double> charge, centre;  // of atoms and of centres, by type
  std::vector<bool> has_centre;
};

// That of a file, or NULL.
std::unique_ptr<ChargeTerm> read_charges(const ModelFile& file, const Inputs& inputs);

}  // namespace deeptf
