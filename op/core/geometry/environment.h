// Rows of the environment matrix and their derivatives (arXiv:1805.09003, eq. 4-5), float64.
//
// For a pair at displacement x, r = |x|:  row = (s, s x/r, s y/r, s z/r), or s alone, where s(r) is
// that of switch.h; then (row - mean) / stddev with the mean and stddev of the centre's type. Rows
// have as many columns as these.
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

struct EnvironmentInputs {
  int64_t num_pairs;           // P
  int64_t num_atoms;           // length of atom_type
  int32_t num_types;           // T
  int64_t columns;             // W: 4 or 1
  const double* displacement;  // [P, 3]
  const int32_t* centre;       // [P]
  const int32_t* atom_type;    // [num_atoms]
  const double* mean;          // [T, W]
  const double* stddev;        // [T, W]
  double rcut_smth, rcut;
};

// Throws Error if a centre or its type is out of range, or mean or stddev is of no use.
void check_environment(const EnvironmentInputs& in, const Context& context);

// rows [P, W]. Throws Error for a displacement that is not finite or too short (apart.h); the
// others make wrong numbers of it.
void environment(const EnvironmentInputs& in, const Context& context, double* rows);

// From a gradient in the rows [P, W] to the gradient in the displacements [P, 3].
void environment_grad(const EnvironmentInputs& in, const Context& context, const double* row_grad,
                      double* displacement_grad);

// The transpose of environment_grad: upstream [P, 3] to [P, W].
void environment_grad_grad(const EnvironmentInputs& in, const Context& context,
                           const double* upstream, double* row_grad);

}  // namespace deeptf
