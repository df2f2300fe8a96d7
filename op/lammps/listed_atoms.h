// The atoms of a rank and their neighbours, as the engine takes them.
#pragma once

#include <string>
#include <vector>

#include "deeptf.hpp"
#include "pointers.h"

namespace LAMMPS_NS {
class NeighList;
}

namespace deeptf_lammps {

// The names of the types of a model that atoms can have: all but those of virtual atoms of spins.
std::vector<std::string> type_names(const deeptf::Model& model);
// The same in a line.
std::string names_of(const deeptf::Model& model);

// The type of the model of each atom type, from 1: by the names of the types, NULL for one that
// the model does not see, or in the order of the model without names. `words` are what the script
// says before them. Throws std::runtime_error.
std::vector<int> types_of_names(const std::vector<std::string>& names, int num_types,
                                const deeptf::Model& model, const std::string& path,
                                const std::string& words);

class ListedAtoms : protected LAMMPS_NS::Pointers {
 public:
  explicit ListedAtoms(LAMMPS_NS::LAMMPS* lammps) : Pointers(lammps) {}

  // Throws std::runtime_error where LAMMPS leaves pairs out of its lists.
  void check_lists() const;
  // The atoms of this step with a full list. model_type of each atom type, from 1, -1 for none;
  // `length` is 1 A in units of the run. What is returned lasts until the next call.
  deeptf_neighbor_list find(const std::vector<int>& model_type, double length,
                            const LAMMPS_NS::NeighList& list);

  double memory_usage() const;

 private:
  bool find_cell(double length);

  std::vector<double> coord_;  // where LAMMPS has other units
  double cell_[9] = {};
  std::vector<int32_t> type_, num_neighbors_;
  std::vector<int64_t> id_;
  std::vector<const int32_t*> neighbors_;
  int64_t revision_ = 0;             // of the lists
  LAMMPS_NS::bigint found_at_ = -1;  // step in which LAMMPS made them
};

}  // namespace deeptf_lammps
