// The file of model deviations: how far several models differ about forces and virials.
#pragma once

#include <cstdint>
#include <fstream>
#include <vector>

#include "arguments.h"
#include "pointers.h"

namespace deeptf_lammps {

// What models found for one step, of this rank.
struct Opinions {
  std::vector<const double*> force;     // of each model [nlocal, 3], eV/A
  std::vector<const double*> virial;    // of each model [9], eV
  std::vector<const double*> magnetic;  // of each model with spins [nlocal, 3], eV
};

// A line for each step that is written:
//     step max_devi_v min_devi_v avg_devi_v max_devi_f min_devi_f avg_devi_f [atm_devi_f(N)]
// devi_v is per atom and component of the virial, and avg_devi_v the root of the mean square over
// the components; devi_f is that of an atom, and avg_devi_f the mean. In the units of the run.
// Models with spins have columns devi_fr in the place of devi_f, and behind them devi_fm, those of
// magnetic forces in energy by length of spins, 0 of atoms without spins.
class DeviationFile : protected LAMMPS_NS::Pointers {
 public:
  // The first rank opens the file and writes the head. Throws std::runtime_error, on all ranks.
  DeviationFile(LAMMPS_NS::LAMMPS* lammps, const Arguments& arguments, bool with_spins);

  bool is_due() const;
  // All ranks must call it. `energy` and `length` are eV and A in units of the run.
  void write(const Opinions& opinions, double energy, double length);

 private:
  std::vector<double> of_forces(const std::vector<const double*>& force, double unit) const;
  std::vector<double> over_atoms(const std::vector<double>& own) const;
  std::vector<double> of_virial(const Opinions& opinions, int64_t atoms) const;
  std::vector<double> of_all_atoms(std::vector<double> own) const;
  void put(double value);

  const Arguments arguments_;
  std::ofstream file_;  // of the first rank
};

}  // namespace deeptf_lammps
