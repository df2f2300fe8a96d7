// `pair_style deeptf`: energies, forces and virials of frozen models, from deeptf's engine.
//
// The first model drives. Each rank evaluates the atoms that it owns with a full neighbour list,
// which gives forces on ghosts too: with newton on LAMMPS returns them to their atoms, else the
// pair style does. Charges of models with a long range are summed over all ranks. A pair of atoms
// that LAMMPS leaves out of its lists is no pair for the model. Models with spins want `atom_style
// spin`: they also give what turns spins, fm = -dE/d(unit vector) / hbar (virtual_atoms.h).
//
// On a GPU a step copies the positions and types of all atoms there, ghosts included, the neighbour
// lists where LAMMPS has made new ones since the last step, and forces, energy and virial back
// (those of atoms where a compute wants them). Ranks may share a GPU; those of a host take its GPUs
// by turns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arguments.h"
#include "deeptf.hpp"
#include "deviation.h"
#include "listed_atoms.h"
#include "load.h"
#include "outside.h"
#include "pair.h"
#include "parameters.h"
#include "units.h"
#include "virtual_atoms.h"

namespace deeptf_lammps {

class PairDeeptf : public LAMMPS_NS::Pair {
 public:
  // for_spins: whether all models must have spins
  explicit PairDeeptf(LAMMPS_NS::LAMMPS* lammps, bool for_spins = false);
  ~PairDeeptf() override;

  // pair_deeptf.cc: what the script says
  void settings(int count, char** words) override;
  void coeff(int count, char** words) override;
  void init_style() override;
  double init_one(int, int) override;
  void* extract(const char* name, int& dimension) override;
  void read_restart(FILE*) override {}  // of a style that keeps nothing in restart files
  double memory_usage() override;

  // pair_compute.cc: what is done in a step
  void compute(int eflag, int vflag) override;
  int pack_reverse_comm(int count, int first, double* buffer) override;
  void unpack_reverse_comm(int count, int* atoms, double* buffer) override;
  void finish() override;

 private:
  struct Found {
    double energy = 0, virial[9] = {};
    std::vector<double> force;  // [nlocal + nghost, 3], virtual atoms behind
    std::vector<double>
        magnetic;  // [nlocal + nghost, 3] eV by length of spins; of models with spins
  };

  void allocate();
  void add_model(const std::string& path);
  Loaded load_word(const std::string& path) const;
  void check_models() const;
  void warn() const;
  void check_spins(size_t number) const;

  void evaluate(size_t model, deeptf_results results);
  void return_forces(Found* found);
  void add_forces();
  void add_magnetic_forces(int atoms);
  void add_atom_values();
  void write_deviation();
  void return_ghosts(std::vector<double>* values, int width);

  const bool for_spins_;
  Arguments given_;
  std::vector<deeptf::Model> models_;
  std::vector<int> model_type_;  // of each atom type, from 1; -1: NULL
  int threads_ = 1;
  Units units_;
  double** scale_ = nullptr;  // of energies and forces, for fix adapt
  std::unique_ptr<Parameters> fparam_, aparam_;
  std::unique_ptr<DeviationFile> deviation_;
  std::unique_ptr<OutsidePairs> outside_;  // of the first model
  std::unique_ptr<VirtualAtoms> virtual_;  // NULL for models without spins

  // of a step, in A and eV
  ListedAtoms listed_;
  std::vector<Found> found_;  // of each model
  std::vector<double> atom_energy_, atom_virial_;
  deeptf_neighbor_list atoms_{};
  std::vector<double>* returned_ = nullptr;  // to the owners of ghosts
  int returned_width_ = 0;
};

}  // namespace deeptf_lammps
