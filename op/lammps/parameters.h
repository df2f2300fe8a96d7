// Parameters of frames and atoms, from numbers in the script, computes and fixes. All ranks must
// call every function, and all throw together.
#pragma once

#include <optional>
#include <vector>

#include "arguments.h"
#include "electrons.h"
#include "pointers.h"

namespace LAMMPS_NS {
class Compute;
}

namespace deeptf_lammps {

class Parameters : protected LAMMPS_NS::Pointers {
 public:
  // `width` numbers of `source` for the frame, or with `each_atom` for each atom of this rank;
  // `name` is for messages. Throws std::runtime_error where the source does not fit.
  Parameters(LAMMPS_NS::LAMMPS* lammps, const Source& source, int width, bool each_atom,
             const char* name);

  // Finds the compute or fix and checks it; before each run.
  void init();
  // [width] or [nlocal, width] numbers of this step, NULL where width is 0.
  const double* values();

 private:
  void take_compute();
  void take_fix();
  void take_atoms(LAMMPS_NS::Compute* compute);
  [[noreturn]] void fail(const std::string& must) const;

  const Source source_;
  const int width_;
  const bool each_atom_;
  const std::string name_;
  std::optional<Electrons> electrons_;
  std::vector<double> values_;
};

}  // namespace deeptf_lammps
