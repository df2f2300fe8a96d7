// How much the models of an ensemble disagree; deeptf.h has the equations.
#pragma once

#include <cstdint>

namespace deeptf {

void force_deviation(int32_t num_models, int64_t num_atoms, const double* const* force,
                     double relative, double* deviation);
void virial_deviation(int32_t num_models, int64_t num_atoms, const double* const* virial,
                      double relative, double* deviation);

}  // namespace deeptf
