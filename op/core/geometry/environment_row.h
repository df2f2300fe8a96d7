// The formulas of environment.h for one pair and rows of W = 1 or 4 columns, for CPU and GPU. With
// q = s/r, row k is q x_k, and d(row k)/dx_a = q delta_ka + x_k x_a q'/r.
#pragma once

#include "core/base/host_device.h"
#include "core/geometry/switch.h"

namespace deeptf {

// row [W] of the pair at displacement x [3].
template <int W>
DEEPTF_HD inline void environment_row(const Radial& f, const double* x, const double* mean,
                                      const double* stddev, double* row) {
  const double plain[4] = {f.s, f.q * x[0], f.q * x[1], f.q * x[2]};
  for (int k = 0; k < W; ++k) row[k] = (plain[k] - mean[k]) / stddev[k];
}

// From the gradient in the row [W] to that in the displacement [3].
template <int W>
DEEPTF_HD inline void environment_row_grad(const Radial& f, const double* x, const double* stddev,
                                           const double* row_grad, double* displacement_grad) {
  double g[4] = {};
  for (int k = 0; k < W; ++k) g[k] = row_grad[k] / stddev[k];
  const double along = g[0] * f.ds_r + (g[1] * x[0] + g[2] * x[1] + g[3] * x[2]) * f.dq_r;
  for (int k = 0; k < 3; ++k) displacement_grad[k] = along * x[k] + f.q * g[k + 1];
}

// The transpose of environment_row_grad: upstream [3] to row_grad [W].
template <int W>
DEEPTF_HD inline void environment_row_grad_grad(const Radial& f, const double* x,
                                                const double* stddev, const double* upstream,
                                                double* row_grad) {
  const double along = upstream[0] * x[0] + upstream[1] * x[1] + upstream[2] * x[2];
  row_grad[0] = f.ds_r * along / stddev[0];
  for (int k = 1; k < W; ++k) {
    row_grad[k] = (f.q * upstream[k - 1] + x[k - 1] * along * f.dq_r) / stddev[k];
  }
}

}  // namespace deeptf
