// All pairs closer than rcut, on a GPU: the same pairs in the same order as geometry/neighbors.h.
//
// Atoms are sorted into bins; a warp has one atom and looks at 32 candidates at a time, first to
// count pairs, then, once the host has made room for them, to write them; the pairs of an atom are
// then brought into the order (type, index, image) by counting the smaller ones.
#pragma once

#include "core/cuda/cuda.h"
#include "core/geometry/neighbors.h"

namespace deeptf {

// What the kernels share; all pointers are on the device.
struct BinnedAtoms {
  Frames frames;
  int64_t num_atoms, num_bins;
  double rcut;
  int32_t num_centre_types;  // atoms of others are neighbours alone
  BinGrid* grids;            // [F]
  int32_t* bin_start;        // [bins + 1] first slot of each bin
  int32_t* bin;              // [N] by slot; slots are the atoms in the order of the bins
  int32_t* atom;             // [N] by slot; virtual atoms come last
  double *x, *y, *z;         // [N] by slot; wrapped into the cell
  int32_t* wrong;            // whether something cannot be used
};

// What the host must know of a search.
struct SearchOutcome {
  int64_t num_pairs;
  int32_t wrong;  // whether something cannot be used
};

class CudaNeighborSearch {
 public:
  // Puts the atoms of frames on the device into bins. Those of the types from num_centre_types on
  // have no pairs, and are neighbours of others.
  CudaNeighborSearch(const Frames& frames, int64_t num_atoms, double rcut, const Cuda& cuda,
                     int32_t num_centre_types = INT32_MAX);

  // Fills row [N + 1] and returns the number of pairs P; waits for the device. Throws Error for
  // what NeighborSearch refuses, and for a frame_row that is not that of the atoms.
  int64_t count(int32_t* row);

  // The same without waiting and without Error: the outcome is on the device. Nothing is known of
  // what follows where it is wrong, but that no access is out of range.
  void count(int32_t* row, SearchOutcome* outcome);

  // Fills neighbor [P] and displacement [P, 3], in order. Where row has more than num_pairs, those
  // behind are left out.
  void fill(const int32_t* row, int64_t num_pairs, int32_t* neighbor, double* displacement);

 private:
  [[noreturn]] void report() const;

  Cuda cuda_;
  BinnedAtoms atoms_;
};

}  // namespace deeptf
