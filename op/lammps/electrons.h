// The electron temperature of `fix ttm` (the two-temperature model).
#pragma once

#include <string>
#include <vector>

#include "pointers.h"

namespace LAMMPS_NS {
class Fix;
}

namespace deeptf_lammps {

// What `fix ttm` has on its grid, which covers the box: a temperature in K for each cell, the same
// on all ranks. Its header is not among those that LAMMPS installs, but each fix writes its state
// to a restart file: numbers of cells in x, y and z, a seed, and the temperatures, x fastest. Here
// that file is in memory. All ranks must call every function; all throw std::runtime_error,
// together.
class Electrons : protected LAMMPS_NS::Pointers {
 public:
  // `words` are what the script says, for messages.
  Electrons(LAMMPS_NS::LAMMPS* lammps, const std::string& fix_id, const std::string& words)
      : Pointers(lammps), fix_id_(fix_id), words_(words) {}

  // Finds the fix and reads its grid.
  void read();
  // The temperatures of the cells of this rank's atoms, [nlocal], as they were read. Atoms outside
  // the box are where their images are.
  void at_atoms(std::vector<double>* values) const;

 private:
  LAMMPS_NS::Fix* fix() const;
  int cell_of(const double* place) const;

  const std::string fix_id_, words_;
  int cells_[3] = {0, 0, 0};
  std::vector<double> temperature_;  // [z, y, x]
};

}  // namespace deeptf_lammps
