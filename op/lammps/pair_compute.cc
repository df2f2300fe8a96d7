// What the pair style does in a step.
#include <algorithm>
#include <stdexcept>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "guarded.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "pair_deeptf.h"
#include "update.h"

namespace deeptf_lammps {
namespace {

// LAMMPS's order of nine components, xx yy zz xy xz yz yx zx zy with the position first, in the
// engine's rows, where the force comes first.
constexpr int kCentroid[9] = {0, 4, 8, 3, 6, 7, 1, 2, 5};
constexpr int kSymmetric[6][2] = {{0, 0}, {4, 4}, {8, 8}, {1, 3}, {2, 6}, {5, 7}};

constexpr double kTurn = 6.283185307179586;

// Sums over ranks, of which each has a part of the atoms.
void add_over_ranks(void* ranks, double* values, int64_t count) {
  constexpr int64_t kMost = 1 << 28;
  for (int64_t first = 0; first < count; first += kMost) {
    MPI_Allreduce(MPI_IN_PLACE, values + first, static_cast<int>(std::min(kMost, count - first)),
                  MPI_DOUBLE, MPI_SUM, *static_cast<MPI_Comm*>(ranks));
  }
}

double symmetric(const double* virial, int k) {
  return 0.5 * (virial[kSymmetric[k][0]] + virial[kSymmetric[k][1]]);
}

}  // namespace

void PairDeeptf::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  guarded(error, [&] { listed_.check_lists(); });
  atoms_ = listed_.find(model_type_, units_.length, *list);
  if (virtual_) guarded_one(error, [&] { atoms_ = virtual_->added_to(atoms_); });
  guarded(error, [&] {
    atoms_.fparam = fparam_->values();
    atoms_.aparam = aparam_->values();
  });
  const bool with_atoms = vflag_atom || cvflag_atom;
  atom_energy_.resize(eflag_atom ? std::max(atom->nlocal, 1) : 0);
  atom_virial_.resize(with_atoms ? 9 * size_t(atoms_.num_all) : 0);
  deeptf_results results{};
  results.atom_energy = eflag_atom ? atom_energy_.data() : nullptr;
  results.atom_virial = with_atoms ? atom_virial_.data() : nullptr;
  outside_->collect(&results);
  evaluate(0, results);
  outside_->add(atoms_);
  const bool due = deviation_ && deviation_->is_due();
  if (force->newton_pair) add_forces();
  if (!force->newton_pair || due) return_forces(&found_[0]);
  if (!force->newton_pair) add_forces();
  add_atom_values();
  if (due) write_deviation();
}

// Evaluates one model; `results` has what is wanted beside energy, force and virial.
void PairDeeptf::evaluate(size_t model, deeptf_results results) {
  Found& found = found_[model];
  found.force.resize(3 * size_t(atoms_.num_all));
  results.size = sizeof results;
  results.energy = &found.energy;
  results.force = found.force.data();
  results.virial = found.virial;
  const deeptf_options options{sizeof options, threads_, 0,           nullptr,
                               add_over_ranks, &world,   comm->nprocs};
  guarded_one(error, [&] {
    if (deeptf_evaluate_list(models_[model].get(), &atoms_, &options, &results) != 0) {
      throw std::runtime_error("step " + std::to_string(update->ntimestep) + ", model " +
                               given_.models[model] + ": " + deeptf_last_error());
    }
  });
  if (virtual_) found.magnetic = virtual_->magnetic(found.force);
}

void PairDeeptf::return_forces(Found* found) {
  return_ghosts(&found->force, 3);
  if (virtual_) return_ghosts(&found->magnetic, 3);
}

// Adds energy, virial and forces: with newton on those of ghosts too.
void PairDeeptf::add_forces() {
  const Found& found = found_[0];
  const double energy = units_.energy * scale_[1][1], unit = energy / units_.length;
  const int atoms = atom->nlocal + (force->newton_pair ? atom->nghost : 0);
  for (int k = 0; k < atoms; ++k) {
    for (int a = 0; a < 3; ++a) atom->f[k][a] += unit * found.force[3 * size_t(k) + a];
  }
  if (virtual_) add_magnetic_forces(atoms);
  if (eflag_global) eng_vdwl += energy * found.energy;
  if (!vflag_global) return;
  for (int k = 0; k < 6; ++k) virial[k] += energy * symmetric(found.virial, k);
}

// Adds the frequencies at which LAMMPS turns spins.
void PairDeeptf::add_magnetic_forces(int atoms) {
  const double hbar = force->hplanck / kTurn;
  const double unit = units_.energy * scale_[1][1] / hbar;
  for (int k = 0; k < atoms; ++k) {
    const double* own = found_[0].magnetic.data() + 3 * size_t(k);
    for (int a = 0; a < 3; ++a) atom->fm[k][a] += unit * atom->sp[k][3] * own[a];
  }
}

void PairDeeptf::add_atom_values() {
  const double energy = units_.energy * scale_[1][1];
  if (eflag_atom) {
    for (int k = 0; k < atom->nlocal; ++k) eatom[k] += energy * atom_energy_[k];
  }
  if (!vflag_atom && !cvflag_atom) return;
  if (virtual_) virtual_->return_virials(&atom_virial_);
  if (!force->newton_pair) return_ghosts(&atom_virial_, 9);
  const int atoms = atom->nlocal + (force->newton_pair ? atom->nghost : 0);
  for (int k = 0; k < atoms; ++k) {
    const double* own = atom_virial_.data() + 9 * size_t(k);
    for (int c = 0; c < 6 && vflag_atom; ++c) vatom[k][c] += energy * symmetric(own, c);
    for (int c = 0; c < 9 && cvflag_atom; ++c) cvatom[k][c] += energy * own[kCentroid[c]];
  }
}

void PairDeeptf::write_deviation() {
  Opinions opinions;
  for (size_t k = 0; k < models_.size(); ++k) {
    if (k > 0) {
      evaluate(k, {});
      return_forces(&found_[k]);
    }
    if (virtual_) opinions.magnetic.push_back(found_[k].magnetic.data());
    opinions.force.push_back(found_[k].force.data());
    opinions.virial.push_back(found_[k].virial);
  }
  guarded(error, [&] { deviation_->write(opinions, units_.energy, units_.length); });
}

// Adds the values of ghosts, `width` each, to those of their atoms.
void PairDeeptf::return_ghosts(std::vector<double>* values, int width) {
  returned_ = values;
  returned_width_ = width;
  comm->reverse_comm(this, width);
}

int PairDeeptf::pack_reverse_comm(int count, int first, double* buffer) {
  const double* from = returned_->data() + size_t(first) * returned_width_;
  std::copy_n(from, size_t(count) * returned_width_, buffer);
  return count * returned_width_;
}

void PairDeeptf::unpack_reverse_comm(int count, int* atoms, double* buffer) {
  for (int k = 0; k < count; ++k) {
    double* to = returned_->data() + size_t(atoms[k]) * returned_width_;
    for (int c = 0; c < returned_width_; ++c) to[c] += *buffer++;
  }
}

// At the end of a run.
void PairDeeptf::finish() { outside_->report(models_[0], given_.models[0]); }

}  // namespace deeptf_lammps
