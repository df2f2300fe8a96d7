// Energies of two atoms at a distance, u(r) in eV, by the types of both: the formulas that the
// kernels on all devices share.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/base/host_device.h"

namespace deeptf {

struct PairEnergy {
  double value, slope;  // u(r), u'(r)
};

// Cubics between equally spaced distances; 0 from the last one or from rcut on, not a number below
// the first one.
struct PairTable {
  int64_t num_types;    // T
  int64_t num_nodes;    // of each two types, at least 2
  double least, step;   // A; first distance, and between two
  double rcut;          // A
  const double* nodes;  // [T (T + 1) / 2, num_nodes, 2] u, u' step; types (0, 0), (0, 1) ... (1, 1)

  // Whether it has an energy at a distance.
  DEEPTF_HD bool knows(double r) const { return r >= rcut || (r - least) / step >= 0; }

  DEEPTF_HD PairEnergy operator()(double r, int64_t a, int64_t b) const {
    const double place = (r - least) / step;
    if (!knows(r)) return {NAN, NAN};
    if (r >= rcut || place >= static_cast<double>(num_nodes - 1)) return {0, 0};
    const int64_t low = a < b ? a : b, high = a < b ? b : a;
    const int64_t pair = low * num_types - low * (low - 1) / 2 + high - low;
    const int64_t k = static_cast<int64_t>(place);
    const double v = place - static_cast<double>(k);
    const double* node = nodes + 2 * (pair * num_nodes + k);
    const double rise = node[2] - node[0], sum = node[1] + node[3];
    const double c2 = 3 * rise - node[1] - sum, c3 = sum - 2 * rise;
    return {((c3 * v + c2) * v + node[1]) * v + node[0],
            ((3 * c3 * v + 2 * c2) * v + node[1]) / step};
  }
};

// The repulsion of nuclei behind their electrons (Ziegler, Biersack and Littmark, 1985), switched
// off from `inner` to `outer` as LAMMPS does (pair_style zbl):
//
//   u = K Z_a Z_b / r phi(r / a) + S(r)    a = 0.46850 / (Z_a^0.23 + Z_b^0.23) A
//   S = C, and A/3 (r - inner)^3 + B/4 (r - inner)^4 more from `inner` on
//
// where A, B and C let u, u' and u'' vanish at `outer`.
struct Zbl {
  double inner, outer;          // A
  const double* atomic_number;  // [T]

  DEEPTF_HD PairEnergy operator()(double r, int64_t a, int64_t b) const {
    if (r >= outer) return {0, 0};
    const double za = atomic_number[a], zb = atomic_number[b];
    // A call of pow would take memory for registers of a GPU.
    const double length = 0.46850 / (std::exp(0.23 * std::log(za)) + std::exp(0.23 * std::log(zb)));
    const double charges = 14.399645 * za * zb, width = outer - inner, x = r - inner;
    const Screened end = screened(charges, length, outer), here = screened(charges, length, r);
    PairEnergy out{here.value - end.value + width * end.slope / 2 - width * width * end.bend / 12,
                   here.slope};
    if (x > 0) {
      const double A = (width * end.bend - 3 * end.slope) / (width * width);
      const double B = (2 * end.slope - width * end.bend) / (width * width * width);
      out.value += x * x * x * (A / 3 + B / 4 * x);
      out.slope += x * x * (A + B * x);
    }
    return out;
  }

 private:
  struct Screened {
    double value, slope, bend;
  };

  DEEPTF_HD static Screened screened(double charges, double length, double r) {
    const double share[4] = {0.18175, 0.50986, 0.28022, 0.02817};
    const double rate[4] = {3.1998, 0.94229, 0.40290, 0.20162};
    double phi = 0, slope = 0, bend = 0;
    for (int k = 0; k < 4; ++k) {
      const double fall = rate[k] / length, part = share[k] * std::exp(-fall * r);
      phi += part;
      slope -= fall * part;
      bend += fall * fall * part;
    }
    const double q = charges / r;
    return {q * phi, q * (slope - phi / r), q * (bend - 2 * slope / r + 2 * phi / (r * r))};
  }
};

}  // namespace deeptf
