// Pairs closer than rcut from lists that an MD engine has found, maybe with a skin, on a GPU. Each
// ghost stands at its own place. Pairs keep the order of the lists.
#pragma once

#include "core/cuda/neighbors.h"

namespace deeptf {

// All pointers are on the device.
struct NeighborLists {
  int64_t num_centres;  // of these the first num_owned have pairs
  int64_t num_owned;
  int64_t num_all;           // a neighbour may be a ghost
  int32_t num_centre_types;  // atoms of others have no pairs, and are neighbours
  double rcut;
  const double* coord;       // [num_all, 3] A
  const int32_t* atom_type;  // [num_all]; atoms below 0 have no pairs
  const int32_t* row;        // [num_owned + 1] first entry of each list
  const int32_t* neighbor;   // [entries]
};

// Fills row [num_centres + 1]; nothing waits for the device, and the outcome is there. It is wrong
// where the CPU refuses a list: a neighbour that is no atom, or two atoms at one place.
void count_list_pairs(const NeighborLists& lists, const Cuda& cuda, int32_t* row,
                      SearchOutcome* outcome);

// Fills neighbor and displacement [num_pairs, 3]; pairs behind num_pairs are left out.
void fill_list_pairs(const NeighborLists& lists, const Cuda& cuda, const int32_t* row,
                     int64_t num_pairs, int32_t* neighbor, double* displacement);

}  // namespace deeptf
