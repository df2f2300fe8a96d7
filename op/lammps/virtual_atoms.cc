#include "virtual_atoms.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "atom.h"

namespace deeptf_lammps {
namespace {

constexpr double kRounding = 1 + 1e-9;  // of the length of a spin

}  // namespace

VirtualAtoms::VirtualAtoms(LAMMPS_NS::LAMMPS* lammps, const deeptf::Model& model)
    : Pointers(lammps), num_real_types_(model.num_types() - model.num_spin_types()) {
  for (int type = 0; type < model.num_spin_types(); ++type) {
    factor_.push_back(model.virtual_len(type) / model.spin_norm(type));
  }
}

void VirtualAtoms::init(const std::vector<int>& model_type) {
  if (!atom->sp_flag) {
    throw std::runtime_error(
        "atoms must have spins for a model with spins, got a style without them: `atom_style spin` "
        "of LAMMPS's package SPIN");
  }
  double own = 0;
  for (int k = 0; k < atom->nlocal; ++k) {
    const int type = model_type[atom->type[k]];
    if (type < 0 || type >= static_cast<int>(factor_.size())) continue;
    own = std::max(own, factor_[type] * atom->sp[k][3]);
  }
  MPI_Allreduce(&own, &reach_, 1, MPI_DOUBLE, MPI_MAX, world);
}

deeptf_neighbor_list VirtualAtoms::added_to(const deeptf_neighbor_list& atoms) {
  add_atoms(atoms);
  if (atoms.revision != given_revision_ || type_ != listed_type_) {
    add_neighbors(atoms);
    given_revision_ = atoms.revision;
    listed_type_ = type_;
    ++revision_;
  }
  deeptf_neighbor_list all = atoms;
  all.revision = revision_;
  all.num_all = static_cast<int32_t>(type_.size());
  all.coord = coord_.data();
  all.type = type_.data();
  all.num_neighbors = num_neighbors_.data();
  all.neighbors = neighbors_.data();
  if (atoms.id != nullptr) all.id = id_.data();
  return all;
}

void VirtualAtoms::add_atoms(const deeptf_neighbor_list& atoms) {
  coord_.assign(atoms.coord, atoms.coord + 3 * size_t(atoms.num_all));
  type_.assign(atoms.type, atoms.type + atoms.num_all);
  id_.clear();
  if (atoms.id != nullptr) id_.assign(atoms.id, atoms.id + atoms.num_all);
  number_.assign(atoms.num_all, -1);
  owner_.clear();
  for (int k = 0; k < atoms.num_all; ++k) {
    const int type = atoms.type[k];
    if (type >= 0 && type < static_cast<int>(factor_.size())) add_atom(k, type);
  }
}

void VirtualAtoms::add_atom(int place, int type) {
  const double* spin = atom->sp[place];
  const double distance = factor_[type] * spin[3];
  if (!(distance > 0 && distance <= reach_ * kRounding)) {
    const std::string name = atom->tag_enable ? std::to_string(atom->tag[place]) : "without ID";
    const std::string got = ", got the length " + std::to_string(spin[3]) + " of atom " + name;
    throw std::runtime_error(distance > 0 ? "spins must not become longer in a run" + got
                                          : "atoms of a type with spins must have one" + got +
                                                ": `set ... spin/atom`");
  }
  for (int a = 0; a < 3; ++a) coord_.push_back(coord_[3 * size_t(place) + a] + distance * spin[a]);
  number_[place] = static_cast<int>(type_.size());
  owner_.push_back(place);
  type_.push_back(num_real_types_ + type);
  if (!id_.empty()) id_.push_back(id_[place]);
}

void VirtualAtoms::add_neighbors(const deeptf_neighbor_list& atoms) {
  lists_.resize(atoms.num_lists);
  num_neighbors_.resize(std::max(atoms.num_lists, 1));
  neighbors_.resize(std::max(atoms.num_lists, 1));
  for (int k = 0; k < atoms.num_lists; ++k) {
    const int32_t* near = atoms.neighbors[k];
    std::vector<int32_t>& list = lists_[k];
    list.assign(near, near + atoms.num_neighbors[k]);
    if (const int own = number_[atoms.centre[k]]; own >= 0) list.push_back(own);
    for (int n = 0; n < atoms.num_neighbors[k]; ++n) {
      const int other = number_[near[n] & atoms.neighbor_mask];
      if (other >= 0) list.push_back(other);
    }
    num_neighbors_[k] = static_cast<int32_t>(list.size());
    neighbors_[k] = list.data();
  }
}

std::vector<double> VirtualAtoms::magnetic(const std::vector<double>& force) const {
  std::vector<double> found(3 * number_.size());
  for (size_t n = 0; n < owner_.size(); ++n) {
    const double* own = force.data() + 3 * (number_.size() + n);
    std::copy_n(own, 3, found.data() + 3 * size_t(owner_[n]));
  }
  return found;
}

void VirtualAtoms::return_virials(std::vector<double>* virial) const {
  for (size_t n = 0; n < owner_.size(); ++n) {
    const double* own = virial->data() + 9 * (number_.size() + n);
    double* to = virial->data() + 9 * size_t(owner_[n]);
    for (int c = 0; c < 9; ++c) to[c] += own[c];
  }
}

}  // namespace deeptf_lammps
