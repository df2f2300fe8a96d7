#include "engine/run/spins.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/geometry/bin_grid.h"

namespace deeptf {
namespace {

// The vector from one place to the nearest image of another, where there is a cell.
void nearest(const double* from, const double* to, const double* cell, double* vector) {
  for (int k = 0; k < 3; ++k) vector[k] = to[k] - from[k];
  if (std::all_of(cell, cell + 9, [](double x) { return x == 0; })) return;
  BinGrid grid;
  std::copy_n(cell, 9, grid.cell);
  invert_cell(&grid);
  double share[3], image[3];
  row_times_matrix(vector, grid.inverse, share);
  for (double& one : share) one = std::nearbyint(one);
  row_times_matrix(share, cell, image);
  for (int k = 0; k < 3; ++k) vector[k] -= image[k];
}

// Takes the product of a force and a vector from a virial.
void subtract(const double* force, const double* vector, double* virial) {
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) virial[3 * a + b] -= force[a] * vector[b];
  }
}

}  // namespace

Spins::Spins(const SpinTypes& types, int64_t num_types, const Centres& centres, const double* coord,
             const double* cell)
    : num_real_types_(num_types - types.count()), coord_(coord), cell_(cell) {
  const int64_t kinds = types.count();
  std::vector<std::vector<int32_t>> real(kinds), virtual_atoms(kinds);
  int64_t atom = 0;
  for (int32_t frame = 0; frame < centres.num_frames; ++frame) {
    for (int64_t k = 0; k < kinds; ++k) {
      real[k].clear();
      virtual_atoms[k].clear();
    }
    for (; atom < centres.num_atoms && centres.frame_of(atom) == frame; ++atom) {
      const int64_t type = centres.type[atom];
      if (type >= num_real_types_) {
        virtual_atoms[type - num_real_types_].push_back(static_cast<int32_t>(atom));
      } else if (type >= 0 && type < kinds) {
        real[type].push_back(static_cast<int32_t>(atom));
      }
    }
    for (int32_t k = 0; k < kinds; ++k) {
      pair_up(frame, k, real[k], virtual_atoms[k], types.virtual_len[k] / types.spin_norm[k]);
    }
  }
}

void Spins::pair_up(int32_t frame, int32_t type, const std::vector<int32_t>& real,
                    const std::vector<int32_t>& virtual_atoms, double factor) {
  if (real.size() != virtual_atoms.size()) {
    throw Error("frame " + std::to_string(frame) + ": there must be a virtual atom of type " +
                std::to_string(num_real_types_ + type) + " for each atom of type " +
                std::to_string(type) + ", got " + std::to_string(virtual_atoms.size()) + " for " +
                std::to_string(real.size()));
  }
  for (size_t n = 0; n < real.size(); ++n) {
    spins_.push_back({frame, real[n], virtual_atoms[n], factor});
  }
}

void Spins::apply(const deeptf_results& results) const {
  for (const Spin& spin : spins_) {
    double* own = results.force + 3 * int64_t{spin.virtual_atom};
    double* on_atom = results.force + 3 * int64_t{spin.real};
    double shift[3];
    nearest(coord_ + 3 * int64_t{spin.real}, coord_ + 3 * int64_t{spin.virtual_atom},
            cell_ + 9 * int64_t{spin.frame}, shift);
    if (results.virial != nullptr) subtract(own, shift, results.virial + 9 * int64_t{spin.frame});
    if (results.atom_virial != nullptr) {
      subtract(own, shift, results.atom_virial + 9 * int64_t{spin.virtual_atom});
    }
    for (int k = 0; k < 3; ++k) {
      on_atom[k] += own[k];
      own[k] *= spin.factor;
    }
  }
}

}  // namespace deeptf
