// The terms of an Ewald sum, which CPU and GPU share.
#pragma once

#include <cmath>

#include "core/base/host_device.h"
#include "core/long_range/ewald.h"

namespace deeptf {

constexpr double kPi = 3.14159265358979323846;

// What stands before |S(m)|^2 of one m and, but for m of k_3 = 0, of -m too.
struct EwaldTerm {
  double m[3];
  double weight;  // of |S|^2 in E, eV; 0 for m = 0
  double slope;   // 2 (1 + pi^2 m^2 / beta^2) / m^2: W_ab has weight |S|^2 (1_ab - slope m_a m_b)
};

DEEPTF_HD inline EwaldTerm ewald_term(const EwaldGrid& grid, int64_t row, int64_t k3) {
  const double k[3] = {static_cast<double>(row / grid.count(1) - grid.half[0]),
                       static_cast<double>(row % grid.count(1) - grid.half[1]),
                       static_cast<double>(k3)};
  EwaldTerm term{};
  double square = 0;
  for (int a = 0; a < 3; ++a) {
    for (int d = 0; d < 3; ++d) term.m[a] += k[d] * grid.inverse[3 * a + d];
    square += term.m[a] * term.m[a];
  }
  if ((k[0] == 0 && k[1] == 0 && k3 == 0) || k3 > grid.half[2]) return term;
  const double decay = kPi * kPi * square / (grid.beta * grid.beta);
  term.weight = (k3 > 0 ? 2 : 1) * kCoulomb / (2 * kPi * grid.volume) * std::exp(-decay) / square;
  term.slope = 2 * (1 + decay) / square;
  return term;
}

constexpr int64_t kEwaldSums = 10;  // energy, and virial

// Those of the row of a structure factor.
DEEPTF_HD inline void ewald_sums(const EwaldGrid& grid, int64_t row, const double* factor,
                                 double* sums) {
  const double* s = factor + 2 * row * grid.width;
  for (int64_t k = 0; k < kEwaldSums; ++k) sums[k] = 0;
  for (int64_t k = 0; k <= grid.half[2]; ++k) {
    const EwaldTerm term = ewald_term(grid, row, k);
    const double energy = term.weight * (s[k] * s[k] + s[grid.width + k] * s[grid.width + k]);
    sums[0] += energy;
    for (int ab = 0; ab < 9; ++ab) {
      const double same = ab % 4 == 0 ? 1 : 0;
      sums[1 + ab] += energy * (same - term.slope * term.m[ab / 3] * term.m[ab % 3]);
    }
  }
}

// The force on a charge, from the slopes of its potential along the cell vectors, by k_d.
DEEPTF_HD inline void ewald_force(const EwaldGrid& grid, double charge, const double* slope,
                                  double* force) {
  for (int a = 0; a < 3; ++a) {
    double sum = 0;
    for (int d = 0; d < 3; ++d) sum += grid.inverse[3 * a + d] * slope[d];
    force[a] = 2 * kPi * charge * sum;
  }
}

// The virial of a charge, from its potential and the sums of products k_d k_e [9].
DEEPTF_HD inline void ewald_virial(const EwaldGrid& grid, double charge, double potential,
                                   const double* products, double* virial) {
  for (int ab = 0; ab < 9; ++ab) {
    double value = ab % 4 == 0 ? potential : 0;
    for (int de = 0; de < 9; ++de) {
      value -=
          grid.inverse[3 * (ab / 3) + de / 3] * grid.inverse[3 * (ab % 3) + de % 3] * products[de];
    }
    virial[ab] = charge / 2 * value;
  }
}

}  // namespace deeptf
