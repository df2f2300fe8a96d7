#include "listed_atoms.h"

#include <algorithm>
#include <stdexcept>

#include "atom.h"
#include "domain.h"
#include "neigh_list.h"
#include "neighbor.h"

namespace deeptf_lammps {

std::vector<std::string> type_names(const deeptf::Model& model) {
  std::vector<std::string> names = model.type_map();
  names.resize(names.size() - model.num_spin_types());
  return names;
}

std::string names_of(const deeptf::Model& model) {
  std::string text;
  for (const std::string& name : type_names(model)) text += (text.empty() ? "" : " ") + name;
  return text;
}

std::vector<int> types_of_names(const std::vector<std::string>& names, int num_types,
                                const deeptf::Model& model, const std::string& path,
                                const std::string& words) {
  const std::vector<std::string> known = type_names(model);
  if (names.empty() && num_types > static_cast<int>(known.size())) {
    throw std::runtime_error("`" + words + "` must be followed by a name for each of the " +
                             std::to_string(num_types) + " atom types, since model " + path +
                             " has " + std::to_string(known.size()) + " (" + names_of(model) +
                             "), got none");
  }
  if (!names.empty() && static_cast<int>(names.size()) != num_types) {
    throw std::runtime_error("`" + words + "` must give a name for each of the " +
                             std::to_string(num_types) + " atom types, got " +
                             std::to_string(names.size()));
  }
  std::vector<int> types(num_types + 1, -1);
  for (int k = 1; k <= num_types; ++k) {
    const std::string name = names.empty() ? known[k - 1] : names[k - 1];
    if (name == "NULL") continue;
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      throw std::runtime_error("`" + words + "` must name types of model " + path + " (" +
                               names_of(model) + ") or NULL, got " + name);
    }
    types[k] = static_cast<int>(found - known.begin());
  }
  return types;
}

// Pairs that LAMMPS leaves out of its lists change what atoms give without a word.
void ListedAtoms::check_lists() const {
  const int* flag = neighbor->special_flag;
  const bool drops = flag[1] == 0 || flag[2] == 0 || flag[3] == 0;
  if (!drops || atom->molecular == LAMMPS_NS::Atom::ATOMIC) return;
  if (atom->nbonds == 0 && atom->molecular != LAMMPS_NS::Atom::TEMPLATE) return;
  throw std::runtime_error(
      "`special_bonds` must keep bonded neighbours, which the model needs too: add the line "
      "`special_bonds lj/coul 1 1 1` to the script");
}

deeptf_neighbor_list ListedAtoms::find(const std::vector<int>& model_type, double length,
                                       const LAMMPS_NS::NeighList& list) {
  const int all = atom->nlocal + atom->nghost;
  type_.resize(std::max(all, 1));
  for (int k = 0; k < all; ++k) type_[k] = model_type[atom->type[k]];
  const double* coord = all > 0 ? atom->x[0] : nullptr;
  if (length != 1) {
    coord_.resize(3 * type_.size());
    for (int k = 0; k < 3 * all; ++k) coord_[k] = coord[k] / length;
    coord = coord_.data();
  }
  num_neighbors_.resize(std::max(list.inum, 1));
  neighbors_.resize(std::max(list.inum, 1));
  for (int k = 0; k < list.inum; ++k) {
    num_neighbors_[k] = list.numneigh[list.ilist[k]];
    neighbors_[k] = list.firstneigh[list.ilist[k]];
  }
  deeptf_neighbor_list atoms{};
  atoms.size = sizeof atoms;
  atoms.num_centres = atoms.num_owned = atom->nlocal;
  atoms.num_all = all;
  atoms.coord = coord;
  atoms.type = type_.data();
  atoms.num_lists = list.inum;
  atoms.centre = list.ilist;
  atoms.num_neighbors = num_neighbors_.data();
  atoms.neighbors = neighbors_.data();
  atoms.neighbor_mask = NEIGHMASK;
  if (neighbor->ago == 0 || neighbor->lastcall != found_at_) ++revision_;
  found_at_ = neighbor->lastcall;
  atoms.revision = revision_;
  if (find_cell(length)) atoms.cell = cell_;
  if (!atom->tag_enable) return atoms;
  id_.assign(atom->tag, atom->tag + all);
  atoms.id = id_.data();
  return atoms;
}

// Fills cell_ with the vectors of a box that has images in all directions; other boxes have none.
bool ListedAtoms::find_cell(double length) {
  const auto& box = *domain;
  const double cell[9] = {box.xprd, 0, 0, box.xy, box.yprd, 0, box.xz, box.yz, box.zprd};
  for (int k = 0; k < 9; ++k) cell_[k] = cell[k] / length;
  return box.xperiodic != 0 && box.yperiodic != 0 && box.zperiodic != 0;
}

double ListedAtoms::memory_usage() const {
  return static_cast<double>(coord_.size() * sizeof(double) + type_.size() * sizeof(int32_t));
}

}  // namespace deeptf_lammps
