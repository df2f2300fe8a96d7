// The pairs of tabulated curves on a GPU: what all kernels on them need and make once.
#pragma once

#include "core/cuda/cuda.h"
#include "core/curve/sum.h"

namespace deeptf {

// The widest net whose gradients there are, in columns.
constexpr int64_t kMostColumns = 256;

// All pointers are on the device.
struct PlacedPairs : CurvePairs {
  const int32_t* first;  // [T, n] the first pair of each neighbour type and atom
  const int32_t* type;   // [n] of each atom
};

// Memory for `first` and `type` comes from cuda.allocate.
PlacedPairs place_pairs(const CurvePairs& pairs, const Cuda& cuda);

}  // namespace deeptf
