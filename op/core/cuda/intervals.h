// Tables in float32 (curve/intervals.h) on a GPU; all pointers are on the device.
#pragma once

#include "core/cuda/cuda.h"

namespace deeptf {

void round_intervals(int64_t num_needed, int64_t width, const Cuda& cuda, const double* nodes,
                     float* intervals);
void round_intervals_grad(int64_t num_needed, int64_t width, const Cuda& cuda,
                          const float* intervals_grad, double* nodes_grad);

}  // namespace deeptf
