// See charges.h.
#include "core/cuda/ewald.h"
#include "engine/cuda/charges.h"
#include "engine/cuda/results.h"

namespace deeptf::device {
namespace {

// Which sites an atom has, number k of those that count.
struct SitesOf {
  const int32_t *atom, *first;

  DEEPTF_HD bool has_centre(int64_t k) const { return first[k + 1] - first[k] > 1; }
};

struct PlaceSites {
  SitesOf sites;
  const int32_t* type;
  const double *of_atoms, *of_centres;  // charges by type
  const double *atom_coord, *shift;
  double *coord, *charge;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = sites.atom[k], own = sites.first[k];
    charge[own] = of_atoms[type[atom]];
    for (int a = 0; a < 3; ++a) coord[3 * own + a] = atom_coord[3 * atom + a];
    if (!sites.has_centre(k)) return;
    charge[own + 1] = of_centres[type[atom]];
    for (int a = 0; a < 3; ++a) {
      coord[3 * own + 3 + a] = atom_coord[3 * atom + a] + shift[3 * atom + a];
    }
  }
};

struct AddSiteEnergies {
  SitesOf sites;
  const double *charge, *potential;
  double* atom_energy;

  DEEPTF_HD void operator()(int64_t k) const {
    double sum = 0;
    for (int64_t site = sites.first[k]; site < sites.first[k + 1]; ++site) {
      sum += 0.5 * charge[site] * potential[site];
    }
    atom_energy[sites.atom[k]] += sum;
  }
};

// What the force on a centre does to the vector to it, and to the virial.
struct TurnForces {
  SitesOf sites;
  const double *shift, *force;
  double *pull, *turned;

  DEEPTF_HD void operator()(int64_t k) const {
    if (!sites.has_centre(k)) return;
    const int64_t atom = sites.atom[k];
    const double* own = force + 3 * int64_t{sites.first[k]} + 3;
    for (int a = 0; a < 3; ++a) {
      pull[3 * atom + a] = -own[a];
      for (int b = 0; b < 3; ++b) turned[9 * atom + 3 * a + b] = -own[a] * shift[3 * atom + b];
    }
  }
};

// Adds what the sites of an atom have of `width` numbers each.
struct AddSites {
  SitesOf sites;
  int64_t width;
  const double* from;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const {
    for (int64_t site = sites.first[k]; site < sites.first[k + 1]; ++site) {
      for (int64_t c = 0; c < width; ++c) to[width * sites.atom[k] + c] += from[width * site + c];
    }
  }
};

void add(const Cuda& cuda, int64_t count, const double* from, double factor, double* to) {
  for_each(cuda, count, Copy<double, double, true>{from, to, factor});
}

}  // namespace

ChargeTerm::ChargeTerm(Term<Stage> stages, ChargeConstants constants)
    : ChargeConstants(std::move(constants)),
      shifts(std::move(stages)),
      charge_there(charge.data(), static_cast<int64_t>(charge.size())),
      centre_there(centre.data(), static_cast<int64_t>(centre.size())) {}

ChargeSites ChargeTerm::sites(const int32_t* type, int64_t num_owned,
                              const std::vector<int32_t>& frame_row) const {
  ChargeSites sites;
  int32_t number = 0;
  for (size_t frame = 0; frame + 1 < frame_row.size(); ++frame) {
    sites.frame_row.push_back(number);
    const int64_t end = std::min<int64_t>(frame_row[frame + 1], num_owned);
    for (int64_t atom = frame_row[frame]; atom < end; ++atom) {
      if (type[atom] < 0) continue;
      sites.atom.push_back(static_cast<int32_t>(atom));
      sites.first.push_back(number);
      number += has_centre[type[atom]] ? 2 : 1;
    }
  }
  sites.first.push_back(number);
  sites.frame_row.push_back(number);
  return sites;
}

std::vector<EwaldGrid> ChargeTerm::grids(const double* cell, int64_t num_frames) const {
  std::vector<EwaldGrid> grids;
  for (int64_t frame = 0; frame < num_frames; ++frame) {
    try {
      grids.push_back(ewald_grid(cell + 9 * frame, beta, spacing));
    } catch (const Error& error) {
      throw Error("frame " + std::to_string(frame) + ": " + error.what());
    }
  }
  return grids;
}

ChargeSum::ChargeSum(const ChargedAtoms& atoms, const Block& block, bool with_gradient)
    : atoms_(atoms), block_(block), site_virial_(nullptr) {
  const Cuda& cuda = block.cuda;
  const int64_t count = atoms.sites.frame_row.back();
  shift_ = cuda.scratch<double>(3 * atoms.num_centres);
  coord_ = cuda.scratch<double>(3 * count);
  charge_ = cuda.scratch<double>(count);
  force_ = cuda.scratch<double>(3 * count);
  potential_ = cuda.scratch<double>(count);
  frame_virial_ = cuda.scratch<double>(9 * block.num_frames);
  pull_ = cuda.scratch<double>(3 * atoms.num_centres);
  turned_ = cuda.scratch<double>(9 * atoms.num_centres);
  if (block.num_atoms == 0) return;
  shifts_ = std::make_unique<TermRun>(atoms.term.shifts, block, with_gradient);
  place_numbers(block, 3, shifts_->property(), shift_);
}

bool ChargeSum::run(bool with_atom_virial, const PartsAdder& add_parts) {
  const Cuda& cuda = block_.cuda;
  const auto number = static_cast<int64_t>(atoms_.sites.atom.size());
  const SitesOf sites{atoms_.atom, atoms_.first};
  if (with_atom_virial) site_virial_ = cuda.scratch<double>(9 * atoms_.sites.frame_row.back());
  for_each(cuda, number,
           PlaceSites{sites, block_.atom_type, atoms_.term.charge_there.data(),
                      atoms_.term.centre_there.data(), atoms_.coord, shift_, coord_, charge_});
  for (int64_t frame = 0; frame < block_.num_frames; ++frame) {
    if (!sum_frame(frame, add_parts)) return false;
  }
  set_zero(cuda, pull_, 3 * atoms_.num_centres);
  set_zero(cuda, turned_, 9 * atoms_.num_centres);
  for_each(cuda, number, TurnForces{sites, shift_, force_, pull_, turned_});
  return true;
}

bool ChargeSum::sum_frame(int64_t frame, const PartsAdder& add_parts) {
  const Cuda& cuda = block_.cuda;
  const Arena::Scope scope(block_.arena);
  const EwaldGrid& grid = atoms_.grids[frame];
  const int64_t first = atoms_.sites.frame_row[frame];
  const deeptf::Charges charges{atoms_.sites.frame_row[frame + 1] - first, coord_ + 3 * first,
                                charge_ + first};
  auto* factor = cuda.scratch<double>(grid.size());
  auto* energy = cuda.scratch<double>(1);
  structure_factor(grid, charges, cuda, factor);
  if (add_parts && !add_parts(factor, grid.size())) return false;
  ewald_forces(grid, charges, factor, cuda, force_ + 3 * first, potential_ + first);
  ewald_energy(grid, factor, cuda, energy, frame_virial_ + 9 * frame);
  if (site_virial_ == nullptr) return true;
  ewald_site_virial(grid, charges, factor, cuda, site_virial_ + 9 * first);
  return true;
}

void ChargeSum::add_energies(double* atom_energy) const {
  for_each(block_.cuda, static_cast<int64_t>(atoms_.sites.atom.size()),
           AddSiteEnergies{{atoms_.atom, atoms_.first}, charge_, potential_, atom_energy});
}

void ChargeSum::add_gradient(double* pair_gradient) {
  if (shifts_ == nullptr) return;
  auto* pull = block_.cuda.scratch<double>(3 * block_.num_atoms);
  take_numbers(block_, 3, pull_, pull);
  add(block_.cuda, 3 * block_.num_pairs, shifts_->pull(pull), 1, pair_gradient);
}

void ChargeSum::add_forces(double* force, double* virial, double* atom_virial) const {
  const Cuda& cuda = block_.cuda;
  const SitesOf sites{atoms_.atom, atoms_.first};
  const auto number = static_cast<int64_t>(atoms_.sites.atom.size());
  for_each(cuda, number, AddSites{sites, 3, force_, force});
  auto* turned = cuda.scratch<double>(9 * block_.num_frames);
  sum_frames(block_, 9, turned_, turned);
  add(cuda, 9 * block_.num_frames, turned, 1, virial);
  add(cuda, 9 * block_.num_frames, frame_virial_, 1.0 / atoms_.num_parts, virial);
  if (site_virial_ == nullptr) return;
  for_each(cuda, number, AddSites{sites, 9, site_virial_, atom_virial});
  add(cuda, 9 * atoms_.num_centres, turned_, 1, atom_virial);
}

}  // namespace deeptf::device
