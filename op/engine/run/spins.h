// Atoms with spins: each has a virtual atom beside it, a neighbour without energy, which says where
// its spin points. deeptf/model/spin.py has the equations.
#pragma once

#include <vector>

#include "engine/deeptf.h"
#include "engine/run/centres.h"

namespace deeptf {

// What a model says of the first real types; the virtual ones are the last types, in that order.
struct SpinTypes {
  std::vector<double> virtual_len, spin_norm;

  int32_t count() const { return static_cast<int32_t>(virtual_len.size()); }
};

// The virtual atoms of some frames, and what belongs to their real ones.
class Spins {
 public:
  // The n-th virtual atom of a type belongs to the n-th atom of its type in the frame. coord
  // [N_all, 3] and cell [F, 3, 3] outlive this. Throws Error where an atom lacks its virtual one.
  Spins(const SpinTypes& types, int64_t num_types, const Centres& centres, const double* coord,
        const double* cell);

  // From -dE/d(place) of all atoms in results.force, which is there: forces on atoms at constant
  // spins, magnetic forces in the places of virtual atoms, and virials of a strain that turns none.
  void apply(const deeptf_results& results) const;

 private:
  struct Spin {
    int32_t frame, real, virtual_atom;
    double factor;  // virtual_len / spin_norm
  };

  void pair_up(int32_t frame, int32_t type, const std::vector<int32_t>& real,
               const std::vector<int32_t>& virtual_atoms, double factor);

  const int64_t num_real_types_;
  const double *coord_, *cell_;
  std::vector<Spin> spins_;
};

}  // namespace deeptf
