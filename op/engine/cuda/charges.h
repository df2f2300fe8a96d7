// Charges of a frame on a device (run/long_range.h): vectors to the centres, the sum over all
// charges, and what the forces on the centres do to the pairs of atoms.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/long_range/ewald.h"
#include "engine/cuda/plan.h"
#include "engine/plan/charges.h"

namespace deeptf::device {

// The charges of the atoms that count, frame by frame, each atom before its centre; on the host.
struct ChargeSites {
  std::vector<int32_t> atom;       // [A]
  std::vector<int32_t> first;      // [A + 1] first site of each atom
  std::vector<int64_t> frame_row;  // [F + 1] first site of each frame
};

struct ChargeTerm : ChargeConstants {
  ChargeTerm(Term<Stage> stages, ChargeConstants constants);

  Term<Stage> shifts;  // give the vectors
  Constant<double> charge_there, centre_there;

  // Of atoms by their types; the first num_owned count, frame_row [F + 1].
  ChargeSites sites(const int32_t* type, int64_t num_owned,
                    const std::vector<int32_t>& frame_row) const;
  // Of cells [F, 3, 3]. Throws Error for a frame without a cell.
  std::vector<EwaldGrid> grids(const double* cell, int64_t num_frames) const;
};

// What a step has of charges: sites and grids on the host, and arrays on the device.
struct ChargedAtoms {
  const ChargeTerm& term;
  const ChargeSites& sites;
  const std::vector<EwaldGrid>& grids;
  const int32_t *atom, *first;  // of sites
  const double* coord;          // [num_all, 3]
  int64_t num_centres;          // atoms of the arrays below
  int32_t num_parts;            // share out a frame
};

// Replaces the structure factor of part of a frame, on the device, by that of all parts; false:
// the step comes to nothing.
using PartsAdder = std::function<bool(double* factor, int64_t count)>;

class ChargeSum {
 public:
  // The block outlives it.
  ChargeSum(const ChargedAtoms& atoms, const Block& block, bool with_gradient);

  // Queues sums over all charges; add_parts may be empty. False where that was.
  bool run(bool with_atom_virial, const PartsAdder& add_parts);
  // Queues what adds the energies to those of atoms.
  void add_energies(double* atom_energy) const;
  // Queues what adds the gradient in the displacements, by way of the vectors, to pair_gradient.
  void add_gradient(double* pair_gradient);
  // The same for forces and virials; without atom_virial that of frames alone.
  void add_forces(double* force, double* virial, double* atom_virial) const;

 private:
  bool sum_frame(int64_t frame, const PartsAdder& add_parts);

  ChargedAtoms atoms_;
  const Block& block_;
  std::unique_ptr<TermRun> shifts_;            // none without atoms
  double* shift_;                              // [num_centres, 3]
  double *coord_, *charge_;                    // of sites
  double *force_, *potential_, *site_virial_;  // of sites
  double *frame_virial_, *pull_, *turned_;     // [F, 9], [num_centres, 3], [num_centres, 9]
};

}  // namespace deeptf::device
