// From the numbers of pairs of atoms to rows, on a GPU.
#pragma once

#include <limits>

#include "core/cuda/device.h"
#include "core/cuda/neighbors.h"
#include "core/cuda/primitives.h"

namespace deeptf {

constexpr int32_t kMostPairs = std::numeric_limits<int32_t>::max();

// Brings the sums of counts to 32 bits.
struct FinishRow {
  int64_t num_atoms;
  const int64_t* sum;
  const int32_t* wrong;
  int32_t* row;
  SearchOutcome* outcome;

  DEEPTF_HD void operator()(int64_t atom) const {
    row[atom] = static_cast<int32_t>(sum[atom] < kMostPairs ? sum[atom] : kMostPairs);
    if (atom == num_atoms) *outcome = {sum[atom], *wrong};
  }
};

// row [N + 1], whose first N numbers are those of the pairs, becomes the first pair of each atom
// and their number; the outcome is on the device.
inline void finish_row(const Cuda& cuda, int64_t num_atoms, const int32_t* wrong, int32_t* row,
                       SearchOutcome* outcome) {
  auto* sum = cuda.scratch<int64_t>(num_atoms + 1);
  exclusive_scan(cuda, row, num_atoms + 1, sum);
  for_each(cuda, num_atoms + 1, FinishRow{num_atoms, sum, wrong, row, outcome});
}

}  // namespace deeptf
