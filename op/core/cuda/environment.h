// Rows of the environment matrix and their derivatives (geometry/environment.h) on a GPU, one
// thread a pair; all pointers of the inputs are on the device.
//
// Nothing waits for the device, so nothing is refused: a pair whose centre, type, statistics or
// displacement the CPU refuses has a row that is not a number.
#pragma once

#include "core/cuda/cuda.h"
#include "core/geometry/environment.h"

namespace deeptf {

void environment(const EnvironmentInputs& in, const Cuda& cuda, double* rows);
void environment_grad(const EnvironmentInputs& in, const Cuda& cuda, const double* row_grad,
                      double* displacement_grad);
void environment_grad_grad(const EnvironmentInputs& in, const Cuda& cuda, const double* upstream,
                           double* row_grad);

}  // namespace deeptf
