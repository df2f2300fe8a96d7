// Tables in float32: the four numbers of every interval, of which hermite.h has the weights.
//
// In float64 two intervals share a node. In float32 the difference of two rounded values would
// leave little of the slope of a curve between nodes that are close. So the rise from the left to
// the right value is formed in float64, and the numbers of an interval are rounded once:
//   value, slope, rise to the next value, next slope      (slopes times the step)
// The nets themselves are evaluated in float64. Rises are numbers of their own in the gradient too:
// what they add to the two nodes cancels in float64, where nothing is lost.
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

// nodes [K', 2, padded M] -> intervals [K' - 1, 4, padded M]; K' is at least 1. Where one segment
// ends and another one begins, the numbers mean nothing.
void round_intervals(int64_t num_needed, int64_t width, const Context& context, const double* nodes,
                     float* intervals);

// intervals_grad [K' - 1, 4, padded M] -> nodes_grad [K', 2, padded M]
void round_intervals_grad(int64_t num_needed, int64_t width, const Context& context,
                          const float* intervals_grad, double* nodes_grad);

}  // namespace deeptf
