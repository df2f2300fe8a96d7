// What CUDA kernels of tabulated curves take of their pairs; see tf/curve_inputs.h.
#pragma once

#include "core/cuda/curve_pairs.h"

namespace deeptf {

inline PlacedPairs placed(const CurvePairs& pairs, const Cuda& cuda) {
  if (pairs.columns != 1 && pairs.columns != 4) {
    throw Error("`rows` must have 1 or 4 columns, got " + std::to_string(pairs.columns));
  }
  return place_pairs(pairs, cuda);
}

}  // namespace deeptf
