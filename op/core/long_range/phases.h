// Phases of a block of sites: exp(2 pi i k u) for the waves k of an Ewald sum.
#pragma once

#include <cmath>

#include "core/base/scratch.h"
#include "core/long_range/ewald.h"

namespace deeptf {

constexpr int64_t kSites = 8;  // of a block, side by side in registers

// Real parts of all sites, then imaginary ones.
struct Phases {
  explicit Phases(const EwaldGrid& grid)
      : first(2 * kSites * grid.count(0)),
        second(2 * kSites * grid.count(1)),
        third(2 * kSites * grid.width) {}

  Scratch<double> first, second;  // from -half on
  Scratch<double> third;          // from 0 on
  double charge[kSites];
};

// Powers 0 .. most of a phase; they lie at to + 2 kSites k.
inline void powers(const double* angle, int64_t most, double* to) {
  double c[kSites], s[kSites];
  for (int64_t j = 0; j < kSites; ++j) {
    c[j] = std::cos(angle[j]);
    s[j] = std::sin(angle[j]);
    to[j] = 1;
    to[kSites + j] = 0;
  }
  for (int64_t k = 0; k < most; ++k, to += 2 * kSites) {
#pragma omp simd
    for (int64_t j = 0; j < kSites; ++j) {
      to[2 * kSites + j] = to[j] * c[j] - to[kSites + j] * s[j];
      to[3 * kSites + j] = to[j] * s[j] + to[kSites + j] * c[j];
    }
  }
}

// Powers -half .. half.
inline void powers_of_both_signs(const double* angle, int64_t half, double* to) {
  double* zero = to + 2 * kSites * half;
  powers(angle, half, zero);
  for (int64_t k = 1; k <= half; ++k) {
    const double* from = zero + 2 * kSites * k;
    double* mirrored = zero - 2 * kSites * k;
    for (int64_t j = 0; j < kSites; ++j) {
      mirrored[j] = from[j];
      mirrored[kSites + j] = -from[kSites + j];
    }
  }
}

// Those of the sites from `first` on; behind the last one are charges of 0.
inline void set_phases(const EwaldGrid& grid, const Charges& charges, int64_t first,
                       Phases& phases) {
  double angle[3][kSites] = {};
  for (int64_t j = 0; j < kSites; ++j) {
    const int64_t site = first + j;
    phases.charge[j] = site < charges.count ? charges.charge[site] : 0;
    for (int d = 0; d < 3 && site < charges.count; ++d) {
      double u = 0;
      for (int a = 0; a < 3; ++a) u += charges.coord[3 * site + a] * grid.inverse[3 * a + d];
      angle[d][j] = 2 * kPi * (u - std::round(u));
    }
  }
  powers_of_both_signs(angle[0], grid.half[0], phases.first.data());
  powers_of_both_signs(angle[1], grid.half[1], phases.second.data());
  powers(angle[2], grid.half[2], phases.third.data());
}

// exp(2 pi i (k_1 u_1 + k_2 u_2)) of a row.
struct RowPhase {
  double re[kSites], im[kSites];

  RowPhase(const EwaldGrid& grid, const Phases& phases, int64_t row) {
    const double* a = phases.first.data() + 2 * kSites * (row / grid.count(1));
    const double* b = phases.second.data() + 2 * kSites * (row % grid.count(1));
#pragma omp simd
    for (int64_t j = 0; j < kSites; ++j) {
      re[j] = a[j] * b[j] - a[kSites + j] * b[kSites + j];
      im[j] = a[j] * b[kSites + j] + a[kSites + j] * b[j];
    }
  }
};

// third by site, [kSites, 2, width], with zeros behind half.
inline void by_site(const EwaldGrid& grid, const Phases& phases, double* to) {
  for (int64_t j = 0; j < kSites; ++j) {
    for (int64_t part = 0; part < 2; ++part) {
      double* row = to + (2 * j + part) * grid.width;
      for (int64_t k = 0; k < grid.width; ++k) {
        row[k] = k <= grid.half[2] ? phases.third[(2 * k + part) * kSites + j] : 0;
      }
    }
  }
}

}  // namespace deeptf
