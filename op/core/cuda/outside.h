// Pairs beyond the range of the data of their curve: how many, and which one is the farthest.
#pragma once

#include <cstring>

#include "core/cuda/curve_terms.h"

namespace deeptf {

// Bits with the order of the numbers; 0 is below all of them.
DEEPTF_HD inline unsigned long long ordered(double x) {
  constexpr unsigned long long sign = 1ULL << 63;
  unsigned long long bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits & sign ? ~bits : bits | sign;
}

// What kernels note: they neither depend on each other's order nor wait.
struct FoundOutside {
  OutsidePairs pairs;
  unsigned long long* largest;  // [T, T] argument beyond the range of the data, as ordered()

  __device__ void note(int64_t block, double x) const {
    atomicAdd(pairs.count + block, 1);
    atomicMax(largest + block, ordered(x));
  }
};

struct NothingOutside {
  FoundOutside found;

  DEEPTF_HD void operator()(int64_t block) const {
    found.pairs.count[block] = 0;
    found.pairs.closest[block] = -1;
    found.largest[block] = 0;
  }
};

// The first pair of the largest argument of each block that has one outside.
struct FindClosest {
  PlacedPairs pairs;
  const double* rows;
  FoundOutside found;

  __device__ void operator()(int64_t k) const {
    const Slice slice = slice_of(pairs, k % pairs.num_atoms, k / pairs.num_atoms);
    if (slice.curve < 0 || found.pairs.count[slice.block] == 0) return;
    auto* closest =
        reinterpret_cast<unsigned*>(found.pairs.closest + slice.block);  // -1 is the largest
    for (int64_t pair = slice.begin; pair < slice.begin + slice.count; ++pair) {
      if (ordered(rows[pair * pairs.columns]) != found.largest[slice.block]) continue;
      atomicMin(closest, static_cast<unsigned>(pair));
      return;
    }
  }
};

}  // namespace deeptf
