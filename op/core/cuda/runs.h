// Pairs that belong to atoms one after the other (moments/runs.h), on a GPU.
#pragma once

#include "core/cuda/primitives.h"
#include "core/moments/runs.h"

namespace deeptf {

struct PlacedRuns : Runs {
  const int32_t* first;  // [n] pair of each atom
};

inline PlacedRuns place_runs(const Runs& runs, const Cuda& cuda) {
  auto* first = cuda.scratch<int32_t>(runs.num_atoms);
  if (runs.num_atoms > 0) exclusive_scan(cuda, runs.count, runs.num_atoms, first);
  return {runs, first};
}

}  // namespace deeptf
