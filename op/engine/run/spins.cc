#include "engine/run/spins.h"

#include <string>

#include "core/base/error.h"

namespace deeptf {
namespace {

// The atoms of a frame that have to do with a type with spins.
struct AtomsOfKind {
  std::vector<int32_t> real, virtual_atoms;
};

void check_numbers(const AtomsOfKind& atoms, int64_t frame, int64_t type, int64_t virtual_type) {
  if (atoms.real.size() == atoms.virtual_atoms.size()) return;
  throw Error("frame " + std::to_string(frame) + ": there must be a virtual atom of type " +
              std::to_string(virtual_type) + " for each atom of type " + std::to_string(type) +
              ", got " + std::to_string(atoms.virtual_atoms.size()) + " for " +
              std::to_string(atoms.real.size()));
}

void add(double* virial, const double* more) {
  for (int c = 0; c < 9; ++c) virial[c] += more[c];
}

}  // namespace

Spins find_spins(const SpinTypes& types, int64_t num_types, int64_t num_frames,
                 const int32_t* frame_row, const int32_t* type) {
  const int32_t kinds = types.count();
  const int64_t num_real_types = num_types - kinds;
  Spins spins;
  spins.frame_row.push_back(0);
  std::vector<AtomsOfKind> found(kinds);
  for (int32_t frame = 0; frame < num_frames; ++frame) {
    for (AtomsOfKind& atoms : found) atoms.real.clear(), atoms.virtual_atoms.clear();
    for (int32_t atom = frame_row[frame]; atom < frame_row[frame + 1]; ++atom) {
      if (type[atom] >= num_real_types) {
        found[type[atom] - num_real_types].virtual_atoms.push_back(atom);
      } else if (type[atom] >= 0 && type[atom] < kinds) {
        found[type[atom]].real.push_back(atom);
      }
    }
    for (int32_t k = 0; k < kinds; ++k) {
      const AtomsOfKind& atoms = found[k];
      check_numbers(atoms, frame, k, num_real_types + k);
      for (size_t n = 0; n < atoms.real.size(); ++n) {
        spins.spin.push_back({frame, atoms.real[n], atoms.virtual_atoms[n],
                              types.virtual_len[k] / types.spin_norm[k]});
      }
    }
    spins.frame_row.push_back(static_cast<int32_t>(spins.spin.size()));
  }
  return spins;
}

void give_back(const Spins& spins, const double* coord, const double* cell,
               const deeptf_results& results) {
  for (const Spin& spin : spins.spin) {
    double shift[3], virial[9];
    spin_shift(spin, coord, cell, shift);
    give_back_force(spin, shift, results.force, virial);
    if (results.virial != nullptr) add(results.virial + 9 * int64_t{spin.frame}, virial);
    if (results.atom_virial != nullptr) {
      add(results.atom_virial + 9 * int64_t{spin.virtual_atom}, virial);
    }
  }
}

}  // namespace deeptf
