// Ewald sums on the device against the CPU.
#include "compare.h"
#include "core/cuda/ewald.h"

using deeptf::Charges;
using deeptf::EwaldGrid;
using deeptf_test::DeviceArray;
using deeptf_test::distance;

namespace {

struct Results {
  std::vector<double> factor, energy, virial, force, potential, of_site;

  bool operator==(const Results& other) const {
    return factor == other.factor && energy == other.energy && virial == other.virial &&
           force == other.force && potential == other.potential && of_site == other.of_site;
  }
};

struct Case {
  Case(int64_t sites, double spacing)
      : sites(sites),
        coord(deeptf_test::random<double>(3 * sites, 1)),
        charge(deeptf_test::random<double>(sites, 2)) {
    const std::vector<double> cell{1.1, 0.1, 0, 0.2, 0.9, 0, -0.3, 0.4, 6.5};
    grid = deeptf::ewald_grid(cell.data(), 0.4, spacing);
  }

  int64_t sites;
  std::vector<double> coord, charge;
  EwaldGrid grid;
};

Results of_cpu(const Case& c) {
  const Charges charges{c.sites, c.coord.data(), c.charge.data()};
  const deeptf::Context context = deeptf_test::serial();
  Results out{std::vector<double>(c.grid.size()),
              std::vector<double>(1),
              std::vector<double>(9),
              std::vector<double>(3 * c.sites),
              std::vector<double>(c.sites),
              std::vector<double>(9 * c.sites)};
  structure_factor(c.grid, charges, context, out.factor.data());
  ewald_energy(c.grid, out.factor.data(), context, out.energy.data(), out.virial.data());
  ewald_forces(c.grid, charges, out.factor.data(), context, out.force.data(), out.potential.data());
  ewald_site_virial(c.grid, charges, out.factor.data(), context, out.of_site.data());
  return out;
}

Results of_device(const Case& c) {
  const DeviceArray<double> coord(c.coord), charge(c.charge);
  const DeviceArray<double> factor(c.grid.size()), energy(int64_t{1}), virial(int64_t{9});
  const DeviceArray<double> force(3 * c.sites), potential(c.sites), of_site(9 * c.sites);
  const Charges charges{c.sites, coord.data(), charge.data()};
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  structure_factor(c.grid, charges, cuda, factor.data());
  ewald_energy(c.grid, factor.data(), cuda, energy.data(), virial.data());
  ewald_forces(c.grid, charges, factor.data(), cuda, force.data(), potential.data());
  ewald_site_virial(c.grid, charges, factor.data(), cuda, of_site.data());
  return {factor.host(), energy.host(),    virial.host(),
          force.host(),  potential.host(), of_site.host()};
}

void check(int64_t sites, double spacing) {
  const Case c(sites, spacing);
  const Results got = deeptf_test::same_in_all_orders([&] { return of_device(c); });
  const Results wanted = of_cpu(c);
  CHECK(distance(got.factor, wanted.factor) < 1e-12);
  CHECK(distance(got.energy, wanted.energy) < 1e-12);
  CHECK(distance(got.virial, wanted.virial) < 1e-12);
  CHECK(distance(got.force, wanted.force) < 1e-12);
  CHECK(distance(got.potential, wanted.potential) < 1e-12);
  CHECK(distance(got.of_site, wanted.of_site) < 1e-12);
}

}  // namespace

TEST(sums_are_those_of_the_cpu) {
  check(13, 1.5);
  check(1, 30);
}

TEST(more_waves_than_lanes) { check(2, 0.1); }

TEST(no_sites) { check(0, 2); }
