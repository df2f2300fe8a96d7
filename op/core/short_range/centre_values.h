// The numbers of centre_pairs.h for one centre, as all devices compute them.
#pragma once

#include <cmath>

#include "core/base/host_device.h"
#include "core/geometry/switch.h"
#include "core/short_range/centre_pairs.h"

namespace deeptf {

// Calls body(pair, neighbour type, distance) for every pair of an atom.
template <class Body>
DEEPTF_HD void over_pairs(const CentrePairs& in, int64_t atom, const Body& body) {
  for (int64_t t = 0; t < in.num_types; ++t) {
    const int64_t begin = in.first[atom * in.first_of_atom + t * in.first_of_type];
    const int64_t end = begin + in.neighbor_count[atom * in.num_types + t];
    for (int64_t pair = begin; pair < end; ++pair) {
      const double* x = in.displacement + 3 * pair;
      body(pair, t, std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]));
    }
  }
}

// Writes the gradient of a pair, whose derivative in the distance is `slope`.
DEEPTF_HD inline void write_gradient(const CentrePairs& in, int64_t pair, double r, double slope,
                                     double* gradient) {
  for (int64_t k = 3 * pair; k < 3 * pair + 3; ++k) gradient[k] = slope / r * in.displacement[k];
}

template <class Function>
DEEPTF_HD double centre_energy(const CentrePairs& in, const Function& function, int64_t atom,
                               double* gradient) {
  double sum = 0;
  over_pairs(in, atom, [&](int64_t pair, int64_t t, double r) {
    const PairEnergy u = function(r, in.type[atom], t);
    sum += u.value;
    write_gradient(in, pair, r, u.slope / 2, gradient);
  });
  return sum / 2;
}

DEEPTF_HD inline double centre_switch(const CentrePairs& in, const SoftMinimum& of, int64_t atom,
                                      double* gradient) {
  double nearest = HUGE_VAL, sum = 0, weights = 0;
  over_pairs(in, atom, [&](int64_t, int64_t, double r) { nearest = r < nearest ? r : nearest; });
  over_pairs(in, atom, [&](int64_t, int64_t, double r) {
    const double weight = std::exp((nearest - r) / of.alpha);
    sum += r * weight;
    weights += weight;
  });
  if (weights == 0) return 0;
  const double distance = sum / weights, width = of.most - of.least;
  double u = (distance - of.least) / width;
  u = u < 0 ? 0 : u > 1 ? 1 : u;  // what is not a number stays so
  const SmoothStep step = smooth_step(u);
  const double slope = step.slope / width;
  over_pairs(in, atom, [&](int64_t pair, int64_t, double r) {
    const double share = std::exp((nearest - r) / of.alpha) / weights;
    write_gradient(in, pair, r, slope * share * (1 - (r - distance) / of.alpha), gradient);
  });
  return step.value;
}

}  // namespace deeptf
