// What a step is asked for, as the host knows it.
#pragma once

#include <vector>

#include "engine/cuda/charges.h"
#include "engine/cuda/workspace.h"
#include "engine/run/spins.h"

namespace deeptf::device {

struct Workspace::Step {
  // Throws Error where charges have no cell, or an atom lacks its virtual one. All arguments
  // outlive it.
  Step(const Plan& plan, const Description& about, Door* door, const deeptf_options& options,
       const deeptf_results& results);

  // Numbers of another property than energies that an atom has; or 0.
  int64_t width() const { return inputs.property == "energy" ? 0 : inputs.width; }

  const Plan& plan;
  const deeptf::Inputs& inputs;
  Door* door;
  const deeptf_options& options;
  bool with_gradient, with_atom_virial;
  std::vector<int32_t> count;  // [T] owned atoms of each type, none of those of virtual atoms
  int64_t num_real = 0;
  ChargeSites sites;             // of a model with charges
  std::vector<EwaldGrid> grids;  // of its frames
  Spins spins;                   // of a model with spins
};

}  // namespace deeptf::device
