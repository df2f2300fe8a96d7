// The nodes that a batch needs of tabulated curves (curve/needed.h), on a GPU.
#pragma once

#include "core/cuda/cuda.h"
#include "core/cuda/curve_pairs.h"

namespace deeptf {

// Fills needed_row [num_nodes + 1] for the nodes of all curves; all pointers are on the device.
void needed_nodes(const PlacedPairs& pairs, const CurveSegments& segments, int64_t num_nodes,
                  const Cuda& cuda, const double* rows, int32_t* needed_row);

}  // namespace deeptf
