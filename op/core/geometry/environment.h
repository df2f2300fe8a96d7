// Rows of the environment matrix and their derivatives (arXiv:1805.09003, eq. 4-5), float64.
//
// For a pair at displacement x, r = |x|:  row = (s, s x/r, s y/r, s z/r), then (row - mean) /
// stddev with the mean and stddev of the centre's type.
//   s(r) = 1/r                           r < rcut_smth
//   s(r) = (u^3 (-6u^2 + 15u - 10) + 1)/r,  u = (r - rcut_smth) / (rcut - rcut_smth)
//   s(r) = 0                             r >= rcut
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

struct EnvironmentInputs {
  int64_t num_pairs;           // P
  int64_t num_atoms;           // length of atom_type
  int32_t num_types;           // T
  const double* displacement;  // [P, 3]
  const int32_t* centre;       // [P]
  const int32_t* atom_type;    // [num_atoms]
  const double* mean;          // [T, 4]
  const double* stddev;        // [T, 4]
  double rcut_smth, rcut;
};

// Throws Error if a centre or its type is out of range, or mean or stddev is of no use.
void check_environment(const EnvironmentInputs& in, const Context& context);

// rows [P, 4]. Throws Error for a displacement that is not finite or too short (apart.h); the
// others make wrong numbers of it.
void environment(const EnvironmentInputs& in, const Context& context, double* rows);

// From a gradient in the rows [P, 4] to the gradient in the displacements [P, 3].
void environment_grad(const EnvironmentInputs& in, const Context& context, const double* row_grad,
                      double* displacement_grad);

// The transpose of environment_grad: upstream [P, 3] to [P, 4].
void environment_grad_grad(const EnvironmentInputs& in, const Context& context,
                           const double* upstream, double* row_grad);

}  // namespace deeptf
