// Pairs of atoms that are closer than in the data of a model, in a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deeptf.hpp"
#include "pointers.h"

namespace deeptf_lammps {

class OutsidePairs : protected LAMMPS_NS::Pointers {
 public:
  OutsidePairs(LAMMPS_NS::LAMMPS* lammps, int num_types);

  void begin_run();
  // Tells an evaluation where its findings go.
  void collect(deeptf_results* results);
  // Adds what the evaluation of these atoms, of this rank, has found.
  void add(const deeptf_neighbor_list& atoms);
  // Warns of what all ranks have found. All ranks must call it.
  void report(const deeptf::Model& model, const std::string& path) const;

 private:
  struct Closest {
    double distance;                     // A
    long long centre = 0, neighbor = 0;  // IDs, 0 where atoms have none
    long long step = 0;
  };

  Closest closest_pair(const deeptf_neighbor_list& atoms, int kind) const;
  Closest of_all_ranks(const Closest& own) const;

  const int num_types_;
  // Of each kind of pair, centre type * num_types + neighbour type.
  std::vector<long long> count_;
  std::vector<int64_t> count_of_step_;
  std::vector<double> distance_of_step_;
  std::vector<Closest> closest_;
};

}  // namespace deeptf_lammps
