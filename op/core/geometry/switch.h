// How much a pair at distance r counts, with derivatives:
//
//   s(r) = 1/r                              r < rcut_smth
//   s(r) = (u^3 (-6u^2 + 15u - 10) + 1)/r,  u = (r - rcut_smth) / (rcut - rcut_smth)
//   s(r) = 0                                r >= rcut
#pragma once

#include <cmath>

#include "core/base/host_device.h"

namespace deeptf {

// A quintic from 1 at u = 0 to 0 at u = 1, where two derivatives vanish, and its derivative.
struct SmoothStep {
  double value, slope;
};

DEEPTF_HD inline SmoothStep smooth_step(double u) {
  return {u * u * u * (u * (15 - 6 * u) - 10) + 1, -30 * u * u * (u - 1) * (u - 1)};
}

struct Radial {
  double s, q;        // q = s / r
  double ds_r, dq_r;  // s'(r) / r and q'(r) / r
};

// Of a displacement x [3].
DEEPTF_HD inline Radial radial(const double* x, double rcut_smth, double rcut) {
  const double r2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  const double r = std::sqrt(r2), inverse = 1 / r;
  if (r >= rcut) return {0, 0, 0, 0};
  double value = 1, slope = 0;  // of the switch function
  if (r > rcut_smth) {
    const double width = 1 / (rcut - rcut_smth), u = (r - rcut_smth) * width;
    const SmoothStep step = smooth_step(u);
    value = step.value;
    slope = step.slope * width;
  }
  Radial out;
  out.s = value * inverse;
  out.q = out.s * inverse;
  out.ds_r = (slope - out.s) * inverse * inverse;
  out.dq_r = (out.ds_r - out.q * inverse) * inverse;
  return out;
}

}  // namespace deeptf
