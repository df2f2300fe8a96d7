// See ewald.h. Sites come in blocks. The structure factor is shared out by rows, to which all
// blocks add one after the other; forces are shared out by blocks. So bits do not depend on
// threads.
#include "core/long_range/ewald.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/base/scratch.h"
#include "core/long_range/ewald_term.h"
#include "core/long_range/phases.h"

namespace deeptf {
namespace {

constexpr int64_t kMostNumbers = 1 << 30;  // of a structure factor, 8 GB

// Adds what a block gives to a row of S: to [2, width].
void add_block(int64_t width, const double* re, const double* im, const double* third, double* to) {
#pragma omp simd
  for (int64_t k = 0; k < width; ++k) {
    double sum_re = to[k], sum_im = to[width + k];
    for (int64_t j = 0; j < kSites; ++j) {
      const double c = third[2 * j * width + k], s = third[(2 * j + 1) * width + k];
      sum_re += re[j] * c - im[j] * s;
      sum_im += re[j] * s + im[j] * c;
    }
    to[k] = sum_re;
    to[width + k] = sum_im;
  }
}

// Sums over k_3 of conj(f) z, of k_3 conj(f) z and, for three powers, of k_3^2 conj(f) z, each
// times the phase of the row; f is a row of factors [2, width], z the phases `third` of a block.
template <int kPowers>
struct RowSums {
  double re[kPowers][kSites], im[kPowers][kSites];

  RowSums(const EwaldGrid& grid, const Phases& phases, int64_t row, const double* factor) {
    double a[kPowers][kSites] = {}, b[kPowers][kSites] = {};
    for (int64_t k = 0; k <= grid.half[2]; ++k) {
      const double f = factor[k], g = factor[grid.width + k];
      const double* third = phases.third.data() + 2 * kSites * k;
#pragma omp simd
      for (int64_t j = 0; j < kSites; ++j) {
        double x = f * third[j] + g * third[kSites + j];
        double y = f * third[kSites + j] - g * third[j];
        for (int p = 0; p < kPowers; ++p) {
          a[p][j] += x;
          b[p][j] += y;
          x *= static_cast<double>(k);
          y *= static_cast<double>(k);
        }
      }
    }
    const RowPhase phase(grid, phases, row);
    for (int p = 0; p < kPowers; ++p) {
#pragma omp simd
      for (int64_t j = 0; j < kSites; ++j) {
        re[p][j] = phase.re[j] * a[p][j] - phase.im[j] * b[p][j];
        im[p][j] = phase.re[j] * b[p][j] + phase.im[j] * a[p][j];
      }
    }
  }
};

// Twice the weight of each m, or that times its slope, times S: [num_rows, 2, width].
Scratch<double> weighted(const EwaldGrid& grid, const double* factor, const Context& context,
                         bool slopes) {
  Scratch<double> result(grid.size());
  context.parallel(grid.num_rows(), 30 * grid.width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t k = 0; k < grid.width; ++k) {
        const EwaldTerm term = ewald_term(grid, row, k);
        const double weight = 2 * term.weight * (slopes ? term.slope : 1);
        for (int64_t at = (2 * row) * grid.width + k, part = 0; part < 2; ++part) {
          result[at + part * grid.width] = weight * factor[at + part * grid.width];
        }
      }
    }
  });
  return result;
}

int64_t cost_of_block(const EwaldGrid& grid) { return 20 * grid.size(); }

// Calls body(phases, first) for the blocks of sites, in any order.
template <class Body>
void over_blocks(const EwaldGrid& grid, const Charges& charges, const Context& context,
                 const Body& body) {
  const int64_t blocks = (charges.count + kSites - 1) / kSites;
  context.parallel(blocks, cost_of_block(grid), [&](int64_t begin, int64_t end) {
    Phases phases(grid);
    for (int64_t block = begin; block < end; ++block) {
      set_phases(grid, charges, kSites * block, phases);
      body(phases, kSites * block);
    }
  });
}

void check_finite(const Charges& charges) {
  for (int64_t k = 0; k < 3 * charges.count; ++k) {
    if (!std::isfinite(charges.coord[k])) {
      throw Error("`coord` must be finite, got " + std::to_string(charges.coord[k]) + " at site " +
                  std::to_string(k / 3));
    }
  }
}

}  // namespace

EwaldGrid ewald_grid(const double* cell, double beta, double spacing) {
  if (!(beta > 0) || !(spacing > 0)) {
    throw Error("`beta` and `spacing` must be positive, got " + std::to_string(beta) + " and " +
                std::to_string(spacing));
  }
  EwaldGrid grid{};
  grid.beta = beta;
  double volume = 0, scale = 1;
  for (int d = 0; d < 3; ++d) {
    const double *b = cell + 3 * ((d + 1) % 3), *c = cell + 3 * ((d + 2) % 3), *a = cell + 3 * d;
    double length = 0;
    for (int k = 0; k < 3; ++k) {
      const int next = (k + 1) % 3, last = (k + 2) % 3;
      grid.inverse[3 * k + d] = b[next] * c[last] - b[last] * c[next];
      length += a[k] * a[k];
    }
    length = std::sqrt(length);
    scale *= length;
    volume = a[0] * grid.inverse[d] + a[1] * grid.inverse[3 + d] + a[2] * grid.inverse[6 + d];
    const double number = std::ceil(length / spacing);
    if (!(number < kMostNumbers)) {
      throw Error("`cell` and `spacing` must give fewer waves, got vectors of " +
                  std::to_string(length) + " A and a spacing of " + std::to_string(spacing) +
                  " A; give a larger spacing (`ewald_h` of a model)");
    }
    grid.half[d] = (static_cast<int64_t>(number) + 1) / 2;
  }
  if (!(std::fabs(volume) > 1e-9 * scale)) {
    throw Error(
        "`cell` must have a volume, since charges act on all their images, got none (zeros stand "
        "for no cell)");
  }
  for (double& x : grid.inverse) x /= volume;
  grid.volume = std::fabs(volume);
  grid.width = (grid.half[2] / kSites + 1) * kSites;
  const double numbers = 2.0 * static_cast<double>(grid.num_rows()) * grid.width;
  if (numbers > kMostNumbers) {
    throw Error("`cell` and `spacing` must give fewer waves, got " + std::to_string(numbers) +
                " numbers; give a larger spacing (`ewald_h` of a model)");
  }
  return grid;
}

void structure_factor(const EwaldGrid& grid, const Charges& charges, const Context& context,
                      double* factor) {
  check_finite(charges);
  const int64_t of_row = 2 * grid.width;
  context.parallel(grid.num_rows(), 8 * of_row * charges.count, [&](int64_t begin, int64_t end) {
    std::fill(factor + begin * of_row, factor + end * of_row, 0.0);
    Phases phases(grid);
    Scratch<double> third(kSites * of_row);
    for (int64_t first = 0; first < charges.count; first += kSites) {
      set_phases(grid, charges, first, phases);
      by_site(grid, phases, third.data());
      for (int64_t row = begin; row < end; ++row) {
        RowPhase phase(grid, phases, row);
        for (int64_t j = 0; j < kSites; ++j) {
          phase.re[j] *= phases.charge[j];
          phase.im[j] *= phases.charge[j];
        }
        add_block(grid.width, phase.re, phase.im, third.data(), factor + row * of_row);
      }
    }
  });
}

void ewald_energy(const EwaldGrid& grid, const double* factor, const Context& context,
                  double* energy, double* virial) {
  Scratch<double> sums(kEwaldSums * grid.num_rows());
  context.parallel(grid.num_rows(), 40 * grid.width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      ewald_sums(grid, row, factor, sums.data() + kEwaldSums * row);
    }
  });
  double total[kEwaldSums] = {};
  for (int64_t row = 0; row < grid.num_rows(); ++row) {
    for (int64_t k = 0; k < kEwaldSums; ++k) total[k] += sums[kEwaldSums * row + k];
  }
  *energy = total[0];
  std::copy_n(total + 1, 9, virial);
}

void ewald_forces(const EwaldGrid& grid, const Charges& charges, const double* factor,
                  const Context& context, double* force, double* potential) {
  const Scratch<double> weights = weighted(grid, factor, context, false);
  over_blocks(grid, charges, context, [&](const Phases& phases, int64_t first) {
    double sum[4][kSites] = {};  // potential, and its slopes along the cell vectors
    for (int64_t row = 0; row < grid.num_rows(); ++row) {
      const RowSums<2> of_row(grid, phases, row, weights.data() + 2 * row * grid.width);
      const double k1 = static_cast<double>(row / grid.count(1) - grid.half[0]);
      const double k2 = static_cast<double>(row % grid.count(1) - grid.half[1]);
#pragma omp simd
      for (int64_t j = 0; j < kSites; ++j) {
        sum[0][j] += of_row.re[0][j];
        sum[1][j] += k1 * of_row.im[0][j];
        sum[2][j] += k2 * of_row.im[0][j];
        sum[3][j] += of_row.im[1][j];
      }
    }
    for (int64_t j = 0; j < std::min(kSites, charges.count - first); ++j) {
      const double slope[3] = {sum[1][j], sum[2][j], sum[3][j]};
      potential[first + j] = sum[0][j];
      ewald_force(grid, phases.charge[j], slope, force + 3 * (first + j));
    }
  });
}

void ewald_site_virial(const EwaldGrid& grid, const Charges& charges, const double* factor,
                       const Context& context, double* virial) {
  const Scratch<double> weights = weighted(grid, factor, context, false);
  const Scratch<double> slopes = weighted(grid, factor, context, true);
  over_blocks(grid, charges, context, [&](const Phases& phases, int64_t first) {
    double potential[kSites] = {}, sum[9][kSites] = {};  // products k_d k_e
    for (int64_t row = 0; row < grid.num_rows(); ++row) {
      const RowSums<1> plain(grid, phases, row, weights.data() + 2 * row * grid.width);
      const RowSums<3> sloped(grid, phases, row, slopes.data() + 2 * row * grid.width);
      const double k[2] = {static_cast<double>(row / grid.count(1) - grid.half[0]),
                           static_cast<double>(row % grid.count(1) - grid.half[1])};
      for (int64_t j = 0; j < kSites; ++j) potential[j] += plain.re[0][j];
      for (int de = 0; de < 9; ++de) {
        const int d = de / 3, e = de % 3, power = (d == 2) + (e == 2);
        const double before = (d < 2 ? k[d] : 1) * (e < 2 ? k[e] : 1);
#pragma omp simd
        for (int64_t j = 0; j < kSites; ++j) sum[de][j] += before * sloped.re[power][j];
      }
    }
    for (int64_t j = 0; j < std::min(kSites, charges.count - first); ++j) {
      double products[9];
      for (int de = 0; de < 9; ++de) products[de] = sum[de][j];
      ewald_virial(grid, phases.charge[j], potential[j], products, virial + 9 * (first + j));
    }
  });
}

}  // namespace deeptf
