// The virtual atoms of models with spins: where they are, and what belongs to their atoms.
#pragma once

#include <vector>

#include "deeptf.hpp"
#include "pointers.h"

namespace deeptf_lammps {

// LAMMPS has spins (atom_style spin) as unit vectors and lengths. Each atom of a type with spins
// gets a virtual one at
//     x + virtual_len / spin_norm * spin
// as the engine wants it (deeptf.h), ghosts too.
class VirtualAtoms : protected LAMMPS_NS::Pointers {
 public:
  VirtualAtoms(LAMMPS_NS::LAMMPS* lammps, const deeptf::Model& model);

  // Before a run, with the type of the model of each atom type, from 1. All ranks must call it.
  // Throws std::runtime_error where atoms have no spins.
  void init(const std::vector<int>& model_type);
  // A; no virtual atom is farther from its atom in this run.
  double reach() const { return reach_; }

  // The atoms with the virtual ones behind, which neighbours of their atoms have in their lists;
  // these are made anew, with another revision, where those of the atoms have another one, or atoms
  // other types. What is returned lasts until the next call. Throws std::runtime_error, on one rank
  // alone, for an atom without a spin, or with a longer one than at the start of the run.
  deeptf_neighbor_list added_to(const deeptf_neighbor_list& atoms);

  // [nlocal + nghost, 3] magnetic forces, -dE/d(spin), from the forces on all atoms.
  std::vector<double> magnetic(const std::vector<double>& force) const;
  // Adds virials of virtual atoms to those of their atoms.
  void return_virials(std::vector<double>* virial) const;

 private:
  void add_atoms(const deeptf_neighbor_list& atoms);
  void add_atom(int atom, int type);
  void add_neighbors(const deeptf_neighbor_list& atoms);

  std::vector<double> factor_;  // of each type with spins, virtual_len / spin_norm
  const int num_real_types_;
  double reach_ = 0;
  std::vector<int> owner_;   // of each virtual atom
  std::vector<int> number_;  // of the virtual atom of each atom; -1: it has none
  std::vector<double> coord_;
  std::vector<int32_t> type_, num_neighbors_;
  std::vector<int32_t> listed_type_;  // of all atoms when lists were made
  int64_t given_revision_ = 0, revision_ = 0;
  std::vector<int64_t> id_;
  std::vector<std::vector<int32_t>> lists_;
  std::vector<const int32_t*> neighbors_;
};

}  // namespace deeptf_lammps
