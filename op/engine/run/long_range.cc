// See long_range.h.
#include "engine/run/long_range.h"

#include <string>

#include "core/base/team.h"
#include "core/long_range/ewald.h"
#include "engine/run/chosen_centres.h"

namespace deeptf {
namespace {

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
  LongRange(const ChargeTerm& term, const Centres& centres, const ChargedAtoms& atoms,
            const Parts& parts, int threads, const deeptf_results& out)
      : term_(term),
        centres_(centres),
        atoms_(atoms),
        parts_(parts),
        team_(team_of(threads)),
        out_(out),
        shift(3 * centres.num_atoms),
        pull(3 * centres.num_atoms) {}

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
      add_energy(frame, sites.atom[k], 0.5 * sites.charge[k] * potential[k]);
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

  void add_energy(int64_t frame, int64_t atom, double energy) {
    if (out_.energy != nullptr) out_.energy[frame] += energy;
    if (out_.atom_energy != nullptr) out_.atom_energy[atom] += energy;
  }

  void add_force(int64_t frame, int64_t atom, bool is_centre, const double* force) {
    for (int a = 0; a < 3; ++a) {
      if (out_.force != nullptr) out_.force[3 * atom + a] += force[a];
      if (!is_centre) continue;
      pull[3 * atom + a] = -force[a];
      for (int b = 0; b < 3; ++b) {
        const double turned = force[a] * shift[3 * atom + b];
        if (out_.virial != nullptr) out_.virial[9 * frame + 3 * a + b] -= turned;
        if (out_.atom_virial != nullptr) out_.atom_virial[9 * atom + 3 * a + b] -= turned;
      }
    }
  }

  const ChargeTerm& term_;
  const Centres& centres_;
  const ChargedAtoms& atoms_;
  const Parts& parts_;
  const Context team_;
  const deeptf_results& out_;

 public:
  // Of each atom: to its centre, and the derivative of the energy in that.
  std::vector<double> shift, pull;
};

}  // namespace

void add_long_range(const ChargeTerm& term, const Centres& centres, const ChargedAtoms& atoms,
                    const Parts& parts, const Shares& shares, const deeptf_results& results) {
  LongRange sums(term, centres, atoms, parts, shares.threads, results);
  deeptf_results shifts{};
  shifts.atom_value = sums.shift.data();
  const ChosenCentres shifted(centres, term.has_centre);  // others have nothing to evaluate
  evaluate(*term.shifts, term.inputs, shifted, shares, shifts);
  sums.run();
  if (results.force == nullptr && results.virial == nullptr && results.atom_virial == nullptr) {
    return;
  }
  deeptf_results of_pairs{};
  of_pairs.force = results.force;
  of_pairs.virial = results.virial;
  of_pairs.atom_virial = results.atom_virial;
  const Shares weighted{shares.threads, shares.most_atoms, sums.pull.data()};
  evaluate(*term.shifts, term.inputs, shifted, weighted, of_pairs);
}

}  // namespace deeptf
