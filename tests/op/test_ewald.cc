// Ewald sums: the sum as it is written, shared out over parts and threads, errors.
#include <complex>

#include "check.h"
#include "core/long_range/ewald.h"

using deeptf::Charges;
using deeptf::Context;
using deeptf::EwaldGrid;
using deeptf_test::close;
using deeptf_test::unwritten;

namespace {

constexpr int64_t kSites = 21;  // no whole number of blocks
const std::vector<double> kCell{5.1, 0.1, 0, 0.8, 6.2, 0, -0.3, 0.4, 9.5};
const double kPi = std::acos(-1.0);

struct Case {
  std::vector<double> coord = deeptf_test::normal(3 * kSites, 1);
  std::vector<double> charge = deeptf_test::normal(kSites, 2);

  Charges part(int64_t begin, int64_t end) const {
    return {end - begin, coord.data() + 3 * begin, charge.data() + begin};
  }
  Charges all() const { return part(0, kSites); }
};

EwaldGrid grid_of(double spacing = 1) { return deeptf::ewald_grid(kCell.data(), 0.4, spacing); }

struct Results {
  std::vector<double> factor, energy = unwritten(1), virial = unwritten(9),
                              force = unwritten(3 * kSites), potential = unwritten(kSites),
                              of_site = unwritten(9 * kSites);

  explicit Results(const Context& context, const EwaldGrid& grid = grid_of())
      : factor(unwritten(grid.size())) {
    const Case c;
    structure_factor(grid, c.all(), context, factor.data());
    ewald_energy(grid, factor.data(), context, energy.data(), virial.data());
    ewald_forces(grid, c.all(), factor.data(), context, force.data(), potential.data());
    ewald_site_virial(grid, c.all(), factor.data(), context, of_site.data());
  }
};

// The energy by all waves, and the potential of site 3.
std::pair<double, double> plain(const EwaldGrid& grid) {
  const Case c;
  double energy = 0, potential = 0;
  for (int64_t k1 = -grid.half[0]; k1 <= grid.half[0]; ++k1) {
    for (int64_t k2 = -grid.half[1]; k2 <= grid.half[1]; ++k2) {
      for (int64_t k3 = -grid.half[2]; k3 <= grid.half[2]; ++k3) {
        double m[3], square = 0;
        for (int a = 0; a < 3; ++a) {
          const double* b = grid.inverse + 3 * a;
          m[a] = static_cast<double>(k1) * b[0] + static_cast<double>(k2) * b[1] +
                 static_cast<double>(k3) * b[2];
          square += m[a] * m[a];
        }
        if (square == 0) continue;
        std::complex<double> sum, of_3;
        for (int64_t i = 0; i < kSites; ++i) {
          double angle = 0;
          for (int a = 0; a < 3; ++a) angle += 2 * kPi * m[a] * c.coord[3 * i + a];
          const auto wave = std::polar(1.0, angle);
          sum += c.charge[i] * wave;
          if (i == 3) of_3 = wave;
        }
        const double weight = deeptf::kCoulomb / (2 * kPi * grid.volume) *
                              std::exp(-kPi * kPi * square / 0.16) / square;
        energy += weight * std::norm(sum);
        potential += 2 * weight * (std::conj(sum) * of_3).real();
      }
    }
  }
  return {energy, potential};
}

}  // namespace

TEST(energy_is_the_plain_sum) {
  for (const double spacing : {0.8, 1.0, 30.0}) {
    const Results found(deeptf_test::serial(), grid_of(spacing));
    const auto [energy, potential] = plain(grid_of(spacing));
    CHECK(close(found.energy[0], energy, 1e-12));
    CHECK(close(found.potential[3], potential, 1e-12));
  }
}

TEST(shares_of_sites_add_up) {
  const Results found(deeptf_test::serial());
  double energy = 0, virial[9] = {}, force[3] = {};
  for (int64_t i = 0; i < kSites; ++i) {
    energy += Case().charge[i] * found.potential[i] / 2;
    for (int k = 0; k < 9; ++k) virial[k] += found.of_site[9 * i + k];
    for (int a = 0; a < 3; ++a) force[a] += found.force[3 * i + a];
  }
  CHECK(close(energy, found.energy[0], 1e-12));
  for (int k = 0; k < 9; ++k) CHECK(close(virial[k], found.virial[k], 1e-12));
  for (const double sum : force) CHECK(close(sum, 0, 1e-12));
}

TEST(parts_of_sites_have_the_forces_of_all) {
  const Case c;
  const EwaldGrid grid = grid_of();
  const Results want(deeptf_test::serial());
  std::vector<double> one(grid.size()), other(grid.size());
  structure_factor(grid, c.part(0, 9), deeptf_test::serial(), one.data());
  structure_factor(grid, c.part(9, kSites), deeptf_test::serial(), other.data());
  for (size_t k = 0; k < one.size(); ++k) one[k] += other[k];
  std::vector<double> force(3 * kSites), potential(kSites);
  ewald_forces(grid, c.part(0, 9), one.data(), deeptf_test::serial(), force.data(),
               potential.data());
  ewald_forces(grid, c.part(9, kSites), one.data(), deeptf_test::serial(), force.data() + 27,
               potential.data() + 9);
  for (size_t k = 0; k < force.size(); ++k) CHECK(close(force[k], want.force[k], 1e-12));
  for (size_t k = 0; k < potential.size(); ++k) {
    CHECK(close(potential[k], want.potential[k], 1e-12));
  }
}

TEST(threads_do_not_change_bits) {
  const Results one(deeptf_test::serial()), many(deeptf_test::threaded());
  CHECK(one.factor == many.factor && one.energy == many.energy && one.virial == many.virial);
  CHECK(one.force == many.force && one.potential == many.potential);
  CHECK(one.of_site == many.of_site);
}

TEST(what_cannot_be_summed_is_refused) {
  const auto refused = [](std::vector<double> cell, double beta, double spacing, const char* text) {
    CHECK(deeptf_test::throws([&] { deeptf::ewald_grid(cell.data(), beta, spacing); }, text));
  };
  refused(std::vector<double>(9), 0.4, 1, "`cell` must have a volume");
  refused({1, 0, 0, 0, 1, 0, 1, 1, 0}, 0.4, 1, "`cell` must have a volume");
  refused(kCell, 0, 1, "`beta` and `spacing` must be positive, got 0.000000 and 1.000000");
  refused(kCell, 0.4, -1, "`beta` and `spacing` must be positive");
  refused(kCell, 0.4, 1e-3, "must give fewer waves");
  refused(kCell, 0.4, 1e-300, "must give fewer waves");
  Case c;
  c.coord[4] = HUGE_VAL;
  std::vector<double> factor(grid_of().size());
  CHECK(deeptf_test::throws(
      [&] { structure_factor(grid_of(), c.all(), deeptf_test::serial(), factor.data()); },
      "`coord` must be finite, got inf at site 1"));
}
