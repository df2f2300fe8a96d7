// See long_range.h.
#include "engine/run/long_range.h"

#include <algorithm>
#include <string>

#include "core/base/team.h"
#include "core/long_range/ewald.h"

namespace deeptf {
namespace {

// The vector to the centre of each atom of a block.
class ShiftPass final : public BlockModel {
 public:
  ShiftPass(const DipoleCharge& term, std::vector<double>* shift) : term_(term), shift_(*shift) {}

  void evaluate(const AtomBlock& block, double* energy, double*) const override {
    std::fill_n(energy, block.num_atoms, 0.0);
    std::vector<double> found(3 * block.num_atoms);
    term_.shifts(block, found.data());
    for (int64_t k = 0; k < block.num_atoms; ++k) {
      std::copy_n(found.data() + 3 * k, 3, shift_.data() + 3 * int64_t{block.atom[k]});
    }
  }

 private:
  const DipoleCharge& term_;
  std::vector<double>& shift_;  // blocks write different atoms
};

// What forces on the centres do to pairs, and the energies of the charges of each atom.
class PullPass final : public BlockModel {
 public:
  PullPass(const DipoleCharge& term, const std::vector<double>& energy,
           const std::vector<double>& on_centre)
      : term_(term), energy_(energy), on_centre_(on_centre) {}

  void evaluate(const AtomBlock& block, double* energy, double* pair_gradient) const override {
    std::vector<double> pull(3 * block.num_atoms);
    for (int64_t k = 0; k < block.num_atoms; ++k) {
      energy[k] = energy_[block.atom[k]];
      for (int a = 0; a < 3; ++a) pull[3 * k + a] = -on_centre_[3 * int64_t{block.atom[k]} + a];
    }
    if (pair_gradient != nullptr) term_.pull(block, pull.data(), pair_gradient);
  }

 private:
  const DipoleCharge& term_;
  const std::vector<double>&energy_, &on_centre_;
};

// Charges of one frame, and whose they are.
struct Sites {
  std::vector<double> coord, charge;
  std::vector<int32_t> atom;
  std::vector<bool> is_centre;

  Charges charges() const {
    return {static_cast<int64_t>(charge.size()), coord.data(), charge.data()};
  }
};

class LongRange {
 public:
  LongRange(const DipoleCharge& term, const Centres& centres, const ChargedAtoms& atoms,
            const Parts& parts, int threads, const deeptf_results& out)
      : term_(term),
        centres_(centres),
        atoms_(atoms),
        parts_(parts),
        team_(team_of(threads)),
        out_(out),
        shift(3 * centres.num_atoms),
        energy(centres.num_atoms),
        on_centre(3 * centres.num_atoms) {}

  // Sums of all frames, from the shifts.
  void run() {
    std::vector<Sites> frames(centres_.num_frames);
    for (int64_t k = 0; k < centres_.count(); ++k) {
      const int32_t atom = centres_.atoms()[k];
      add_sites(atom, &frames[centres_.frame_of(atom)]);
    }
    for (int64_t frame = 0; frame < centres_.num_frames; ++frame) sum(frame, frames[frame]);
  }

 private:
  void add_sites(int32_t atom, Sites* to) const {
    const int32_t type = centres_.type[atom];
    for (const bool is_centre : {false, true}) {
      if (is_centre && !term_.has_centre[type]) continue;
      for (int a = 0; a < 3; ++a) {
        const int64_t k = 3 * int64_t{atom} + a;
        to->coord.push_back(atoms_.coord[k] + (is_centre ? shift[k] : 0));
      }
      to->charge.push_back(is_centre ? term_.centre[type] : term_.charge[type]);
      to->atom.push_back(atom);
      to->is_centre.push_back(is_centre);
    }
  }

  void sum(int64_t frame, const Sites& sites) {
    try {
      const EwaldGrid grid = ewald_grid(atoms_.cell + 9 * frame, term_.beta, term_.spacing);
      sum(frame, sites, grid);
    } catch (const Error& error) {
      throw Error("frame " + std::to_string(frame) + ": " + error.what());
    }
  }

  void sum(int64_t frame, const Sites& sites, const EwaldGrid& grid) {
    std::vector<double> factor(grid.size());
    structure_factor(grid, sites.charges(), team_, factor.data());
    if (parts_.add != nullptr) parts_.add(parts_.of, factor.data(), grid.size());
    const auto count = static_cast<int64_t>(sites.charge.size());
    std::vector<double> force(3 * count), potential(count);
    ewald_forces(grid, sites.charges(), factor.data(), team_, force.data(), potential.data());
    for (int64_t k = 0; k < count; ++k) {
      energy[sites.atom[k]] += 0.5 * sites.charge[k] * potential[k];
      add_force(frame, sites.atom[k], sites.is_centre[k], force.data() + 3 * k);
    }
    if (out_.virial != nullptr) {
      double whole, virial[9];
      ewald_energy(grid, factor.data(), team_, &whole, virial);
      for (int c = 0; c < 9; ++c) out_.virial[9 * frame + c] += virial[c] / parts_.number;
    }
    if (out_.atom_virial == nullptr) return;
    std::vector<double> own(9 * count);
    ewald_site_virial(grid, sites.charges(), factor.data(), team_, own.data());
    for (int64_t k = 0; k < 9 * count; ++k) {
      out_.atom_virial[9 * int64_t{sites.atom[k / 9]} + k % 9] += own[k];
    }
  }

  void add_force(int64_t frame, int64_t atom, bool is_centre, const double* force) {
    for (int a = 0; a < 3; ++a) {
      if (out_.force != nullptr) out_.force[3 * atom + a] += force[a];
      if (!is_centre) continue;
      on_centre[3 * atom + a] = force[a];
      for (int b = 0; b < 3; ++b) {
        const double turned = force[a] * shift[3 * atom + b];
        if (out_.virial != nullptr) out_.virial[9 * frame + 3 * a + b] -= turned;
        if (out_.atom_virial != nullptr) out_.atom_virial[9 * atom + 3 * a + b] -= turned;
      }
    }
  }

  const DipoleCharge& term_;
  const Centres& centres_;
  const ChargedAtoms& atoms_;
  const Parts& parts_;
  const Context team_;
  const deeptf_results& out_;

 public:
  // Of each atom: to its centre, energy of its charges, and force on its centre.
  std::vector<double> shift, energy, on_centre;
};

}  // namespace

void add_long_range(const DipoleCharge& term, const Inputs& inputs, const Centres& centres,
                    const ChargedAtoms& atoms, const Parts& parts, const Shares& shares,
                    const deeptf_results& results) {
  LongRange sums(term, centres, atoms, parts, shares.threads, results);
  evaluate(ShiftPass(term, &sums.shift), inputs, centres, shares, {});
  sums.run();
  deeptf_results to = results;
  to.outside_count = nullptr;
  to.outside_distance = nullptr;
  evaluate(PullPass(term, sums.energy, sums.on_centre), inputs, centres, shares, to);
}

}  // namespace deeptf
