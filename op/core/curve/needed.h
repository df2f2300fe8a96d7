// The nodes that a batch needs of tabulated curves: those of the intervals in which its pairs and
// its empty places lie. Tables are made anew at every step of a training, and with many types most
// intervals have no pair.
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/curve/sum.h"

namespace deeptf {

// Fills needed_row [nodes + 1], see segments.h. The first interval of all is always needed, so that
// a table has one.
void needed_nodes(const CurvePairs& pairs, const CurveSegments& segments, const Context& context,
                  const double* rows, int32_t* needed_row);

}  // namespace deeptf
