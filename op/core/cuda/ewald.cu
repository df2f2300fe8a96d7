// See ewald.h. Phases of all sites and directions are made first. A thread has one wave of the
// structure factor and goes over the sites; a warp has the forces of one site, its lanes are the
// k_3, and it goes over the rows. Memory is read side by side in both.
#include <cmath>

#include "core/cuda/device.h"
#include "core/cuda/ewald.h"
#include "core/long_range/ewald_term.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

struct Complex {
  double re, im;
};

DEEPTF_HD inline Complex operator*(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// exp(2 pi i u). The card's functions of angles in units of pi need no memory of a thread.
DEEPTF_HD inline Complex turned(double u) {
#ifdef __CUDA_ARCH__
  return {cospi(2 * u), sinpi(2 * u)};
#else
  return {std::cos(2 * kPi * u), std::sin(2 * kPi * u)};
#endif
}

// exp(2 pi i k u) of each site: k of the first direction from -half to half, then of the second,
// then of the third from 0 to half.
struct Phases {
  EwaldGrid grid;
  Complex* all;

  DEEPTF_HD int64_t of_site() const { return grid.count(0) + grid.count(1) + grid.half[2] + 1; }
  DEEPTF_HD Complex* first(int64_t site) const { return all + site * of_site(); }
  DEEPTF_HD Complex* second(int64_t site) const { return first(site) + grid.count(0); }
  DEEPTF_HD Complex* third(int64_t site) const { return second(site) + grid.count(1); }
  DEEPTF_HD Complex of_row(int64_t site, int64_t row) const {
    return first(site)[row / grid.count(1)] * second(site)[row % grid.count(1)];
  }
};

// Number k = 3 site + direction.
struct FillPhases {
  Phases phases;
  Charges charges;

  DEEPTF_HD void operator()(int64_t k) const {
    const EwaldGrid& grid = phases.grid;
    const int64_t site = k / 3;
    const int d = static_cast<int>(k % 3);
    double u = 0;
    for (int a = 0; a < 3; ++a) u += charges.coord[3 * site + a] * grid.inverse[3 * a + d];
    const Complex one = turned(u - std::round(u));
    Complex power{1, 0};
    Complex* to = d == 0   ? phases.first(site) + grid.half[0]
                  : d == 1 ? phases.second(site) + grid.half[1]
                           : phases.third(site);
    to[0] = power;
    for (int64_t n = 1; n <= grid.half[d]; ++n) {
      power = power * one;
      to[n] = power;
      if (d < 2) to[-n] = {power.re, -power.im};
    }
  }
};

Phases phases_of(const EwaldGrid& grid, const Charges& charges, const Cuda& cuda) {
  Phases phases{grid, nullptr};
  phases.all = cuda.scratch<Complex>(charges.count * phases.of_site());
  for_each(cuda, 3 * charges.count, FillPhases{phases, charges});
  return phases;
}

struct FillFactor {
  Phases phases;
  Charges charges;
  double* factor;

  DEEPTF_HD void operator()(int64_t place) const {
    const int64_t width = phases.grid.width, row = place / width, k = place % width;
    Complex sum{0, 0};
    for (int64_t site = 0; k <= phases.grid.half[2] && site < charges.count; ++site) {
      const Complex wave = phases.of_row(site, row) * phases.third(site)[k];
      sum.re += charges.charge[site] * wave.re;
      sum.im += charges.charge[site] * wave.im;
    }
    factor[2 * row * width + k] = sum.re;
    factor[(2 * row + 1) * width + k] = sum.im;
  }
};

struct RowSums {
  EwaldGrid grid;
  const double* factor;
  double* sums;

  DEEPTF_HD void operator()(int64_t row) const {
    ewald_sums(grid, row, factor, sums + kEwaldSums * row);
  }
};

struct AddRows {
  int64_t rows;
  const double* sums;
  double *energy, *virial;

  DEEPTF_HD void operator()(int64_t k) const {
    double total = 0;
    for (int64_t row = 0; row < rows; ++row) total += sums[kEwaldSums * row + k];
    if (k == 0) {
      *energy = total;
    } else {
      virial[k - 1] = total;
    }
  }
};

// Twice the weight of each wave times the conjugate of S, and the slope of the wave.
struct Wave {
  Complex factor;
  double slope;
};

struct FillWaves {
  EwaldGrid grid;
  const double* factor;
  Wave* waves;

  DEEPTF_HD void operator()(int64_t place) const {
    const int64_t row = place / grid.width, k = place % grid.width;
    const EwaldTerm term = ewald_term(grid, row, k);
    const double* s = factor + 2 * row * grid.width + k;
    waves[place] = {{2 * term.weight * s[0], -2 * term.weight * s[grid.width]}, term.slope};
  }
};

const Wave* waves_of(const EwaldGrid& grid, const double* factor, const Cuda& cuda) {
  Wave* waves = cuda.scratch<Wave>(grid.num_rows() * grid.width);
  for_each(cuda, grid.num_rows() * grid.width, FillWaves{grid, factor, waves});
  return waves;
}

// Calls add(wave times its phase at the site, k [3], slope) for the waves of this lane.
template <class Add>
__device__ inline void over_waves(const Phases& phases, const Wave* waves, int64_t site,
                                  const Add& add) {
  const EwaldGrid& grid = phases.grid;
  for (int64_t row = 0; row < grid.num_rows(); ++row) {
    const Complex of_row = phases.of_row(site, row);
    const double k1 = static_cast<double>(row / grid.count(1) - grid.half[0]);
    const double k2 = static_cast<double>(row % grid.count(1) - grid.half[1]);
    for (int64_t k = threadIdx.x % kLanes; k <= grid.half[2]; k += kLanes) {
      const Wave wave = waves[row * grid.width + k];
      const double number[3] = {k1, k2, static_cast<double>(k)};
      add(wave.factor * (of_row * phases.third(site)[k]), number, wave.slope);
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    force_kernel(Phases phases, Charges charges, const Wave* waves, double* force,
                 double* potential) {
  const int64_t site = warp_index();
  if (site >= charges.count) return;
  double sums[4] = {};  // potential, and its slopes along the cell vectors
  over_waves(phases, waves, site, [&](Complex value, const double* k, double) {
    sums[0] += value.re;
    for (int d = 0; d < 3; ++d) sums[1 + d] += k[d] * value.im;
  });
  double total[4];
  for (int n = 0; n < 4; ++n) total[n] = warp_total(sums[n]);
  if (threadIdx.x % kLanes != 0) return;
  potential[site] = total[0];
  ewald_force(phases.grid, charges.charge[site], total + 1, force + 3 * site);
}

__global__ void __launch_bounds__(kThreads)
    site_virial_kernel(Phases phases, Charges charges, const Wave* waves, double* virial) {
  const int64_t site = warp_index();
  if (site >= charges.count) return;
  double potential = 0, products[9] = {};
  over_waves(phases, waves, site, [&](Complex value, const double* k, double slope) {
    potential += value.re;
    for (int de = 0; de < 9; ++de) products[de] += slope * value.re * k[de / 3] * k[de % 3];
  });
  potential = warp_total(potential);
  for (int de = 0; de < 9; ++de) products[de] = warp_total(products[de]);
  if (threadIdx.x % kLanes != 0) return;
  ewald_virial(phases.grid, charges.charge[site], potential, products, virial + 9 * site);
}

}  // namespace

void structure_factor(const EwaldGrid& grid, const Charges& charges, const Cuda& cuda,
                      double* factor) {
  const Phases phases = phases_of(grid, charges, cuda);
  for_each(cuda, grid.num_rows() * grid.width, FillFactor{phases, charges, factor});
}

void ewald_energy(const EwaldGrid& grid, const double* factor, const Cuda& cuda, double* energy,
                  double* virial) {
  double* sums = cuda.scratch<double>(kEwaldSums * grid.num_rows());
  for_each(cuda, grid.num_rows(), RowSums{grid, factor, sums});
  for_each(cuda, kEwaldSums, AddRows{grid.num_rows(), sums, energy, virial});
}

void ewald_forces(const EwaldGrid& grid, const Charges& charges, const double* factor,
                  const Cuda& cuda, double* force, double* potential) {
  const Phases phases = phases_of(grid, charges, cuda);
  const Wave* waves = waves_of(grid, factor, cuda);
  launch(cuda, blocks_of_warps(charges.count, kThreads), kThreads, force_kernel, phases, charges,
         waves, force, potential);
}

void ewald_site_virial(const EwaldGrid& grid, const Charges& charges, const double* factor,
                       const Cuda& cuda, double* virial) {
  const Phases phases = phases_of(grid, charges, cuda);
  const Wave* waves = waves_of(grid, factor, cuda);
  launch(cuda, blocks_of_warps(charges.count, kThreads), kThreads, site_virial_kernel, phases,
         charges, waves, virial);
}

}  // namespace deeptf
