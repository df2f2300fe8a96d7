// `compute ID GROUP deeptf/tensor/atom MODEL [NAMES] [gpu auto|no|yes]`: dipoles or
// polarizabilities of the atoms.
//
// The array has 3 or 9 columns in the units of the data of the model, zeros for atoms of types
// without a tensor and for those that are not of the group. NAMES are as behind `pair_coeff * *`.
// The pair style must see as far as the model, since its neighbours are used. `gpu` is as behind
// `pair_style deeptf`; a GPU is sent the lists of neighbours in each step that asks for tensors.
#pragma once

#include <string>
#include <vector>

#include "compute.h"
#include "deeptf.hpp"
#include "listed_atoms.h"

namespace deeptf_lammps {

class ComputeTensor : public LAMMPS_NS::Compute {
 public:
  ComputeTensor(LAMMPS_NS::LAMMPS* lammps, int count, char** words);
  ~ComputeTensor() override;

  void init() override;
  void init_list(int, LAMMPS_NS::NeighList* list) override { list_ = list; }
  void compute_peratom() override;
  double memory_usage() override;

 private:
  void read(const std::vector<std::string>& words);
  void check_reach() const;

  std::string path_;
  std::vector<deeptf::Model> model_;  // one
  std::vector<int> model_type_;       // of each atom type, from 1
  ListedAtoms listed_;
  LAMMPS_NS::NeighList* list_ = nullptr;
  double length_ = 1;  // 1 A in units of the run
  int threads_ = 1, most_ = 0;
  double** tensor_ = nullptr;  // [most_, width]
};

}  // namespace deeptf_lammps
