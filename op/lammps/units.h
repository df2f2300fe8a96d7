// What LAMMPS calls an angstrom and an electron volt.
#pragma once

#include "force.h"

namespace deeptf_lammps {

struct Units {
  double length = 1;  // 1 A in units of the run
  double energy = 1;  // 1 eV in units of the run

  Units() = default;
  // All unit styles but lj, by Boltzmann's constant in eV/K as metal units have it.
  explicit Units(const LAMMPS_NS::Force& force)
      : length(force.angstrom), energy(force.boltz / 8.617343e-5) {}
};

}  // namespace deeptf_lammps
