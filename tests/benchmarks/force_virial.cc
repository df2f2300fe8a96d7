// Time of sorting pairs and of summing forces on 1, 2, 4 and 8 threads, wall and CPU, in ms.
//
//   g++ -std=c++17 -O3 -march=native -fopenmp-simd -pthread -Iop tests/benchmarks/force_virial.cc
//       op/core/geometry/{neighbors,neighbor_bins,pair_order,force_virial}.cc
//       op/core/base/{team,arena}.cc -o /tmp/force_virial && /tmp/force_virial 98304
// Atoms of two types on a disturbed lattice with the density of water, rcut 6 A: 91 pairs an atom.
// The CPU time must not grow with the threads: that is what all of them together read. On a busy
// server with 2 cores (sort and forces before there was a reverse index: 112 and 112 ms on one
// thread, 124 and 278 ms on eight; for 192 atoms 0.13 and 0.15 ms, 0.08 and 0.27 ms):
//
//   # threads     sort       cpu     force       cpu  atom_virial   cpu   (8969656 pairs)
//         1   330.374   171.382   302.411   150.539   304.999   163.691
//         2   400.442   198.450   290.077   160.752   239.840   155.214
//         4   291.995   194.302   259.993   156.826   303.228   151.073
//         8   388.121   193.477   330.506   161.416   335.843   161.436
//   # threads     sort       cpu     force       cpu  atom_virial   cpu   (17080 pairs)
//         1     0.132     0.132     0.113     0.114     0.072     0.072
//         2     0.137     0.137     0.116     0.116     0.075     0.075
//         4     0.141     0.142     0.069     0.069     0.073     0.074
//         8     0.140     0.140     0.068     0.068     0.044     0.045
#include "core/geometry/force_virial.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/base/team.h"
#include "core/geometry/neighbors.h"
#include "core/geometry/pair_order.h"

namespace {

using deeptf::Context;
using deeptf::PairSorter;

constexpr double kDensity = 0.1, kCutoff = 6.0;

struct Times {
  double wall = 1e9, cpu = 1e9;  // ms, best of several
};

double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

Times best_of(int64_t repeats, const std::function<void()>& body) {
  Times best;
  for (int64_t k = 0; k < repeats; ++k) {
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    best.wall = std::min(best.wall, 1e3 * wall.count());
    best.cpu = std::min(best.cpu, 1e3 * (cpu_seconds() - cpu));
  }
  return best;
}

// A cube of atoms and their pairs, in the order of the centres and sorted.
struct System {
  std::vector<double> coord, cell = std::vector<double>(9), found, displacement, gradient;
  std::vector<int32_t> type, row, listed, centre, neighbor, pair_of;

  explicit System(int64_t atoms) {
    const double side = std::cbrt(atoms / kDensity);
    const auto points = static_cast<int64_t>(std::ceil(std::cbrt(atoms)));
    std::mt19937 engine(0);
    std::uniform_real_distribution<double> draw(-0.3, 0.3);
    for (int64_t k = 0; k < atoms; ++k) {
      for (const int64_t place : {k / points / points, k / points % points, k % points}) {
        coord.push_back((place + draw(engine)) * side / points);
      }
      type.push_back(k % 3 > 0);
    }
    cell[0] = cell[4] = cell[8] = side;
    const int32_t frame_row[2] = {0, static_cast<int32_t>(atoms)};
    const deeptf::NeighborSearch search({1, frame_row, coord.data(), cell.data(), type.data()},
                                        kCutoff);
    row.resize(atoms + 1);
    const int64_t pairs = search.count({}, row.data());
    for (auto* array : {&listed, &centre, &neighbor, &pair_of}) array->resize(pairs);
    for (auto* array : {&found, &displacement, &gradient}) array->resize(3 * pairs);
    search.fill({}, row.data(), listed.data(), found.data());
    for (double& value : gradient) value = draw(engine);
  }
  deeptf::PairList list() const {
    const auto atoms = static_cast<int64_t>(type.size());
    return {atoms, atoms, atoms, 2, row.data(), listed.data(), found.data(), type.data()};
  }
  deeptf::SortedPairs sorted() {
    return {centre.data(), neighbor.data(), displacement.data(), pair_of.data()};
  }
};

void measure(System& system, int threads) {
  const Context context = deeptf::team_of(threads);
  const auto atoms = static_cast<int64_t>(system.type.size());
  const auto pairs = static_cast<int64_t>(system.listed.size());
  const int64_t repeats = std::max<int64_t>(5, 1000000 / atoms);
  const Times sort = best_of(repeats, [&] {
    PairSorter sorter(system.list(), context);
    sorter.fill(context, system.sorted());
  });
  PairSorter sorter(system.list(), context);
  sorter.fill(context, system.sorted());
  const int32_t frame_row[2] = {0, static_cast<int32_t>(atoms)};
  const deeptf::ForceInputs in{
      pairs, atoms, 1, system.displacement.data(), system.centre.data(), nullptr, frame_row};
  const deeptf::PairsOfAtoms of_atoms{pairs,
                                      sorter.atom_order().size(),
                                      atoms,
                                      2,
                                      sorter.atom_order().data(),
                                      sorter.first_pair().data(),
                                      sorter.neighbor_count().data(),
                                      sorter.pair_row().data(),
                                      system.pair_of.data()};
  std::vector<double> force(3 * atoms), virial(9), atom_virials(9 * atoms);
  const Times sum = best_of(repeats, [&] {
    force_virial(in, of_atoms, context, system.gradient.data(), force.data(), virial.data());
  });
  const Times of_atom = best_of(repeats, [&] {
    atom_virial(of_atoms, context, system.displacement.data(), system.gradient.data(),
                atom_virials.data());
  });
  std::printf("%7d %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f\n", threads, sort.wall, sort.cpu, sum.wall,
              sum.cpu, of_atom.wall, of_atom.cpu);
}

}  // namespace

int main(int count, char** arguments) {
  System system(count > 1 ? std::atoll(arguments[1]) : 98304);
  std::printf("# threads     sort       cpu     force       cpu  atom_virial   cpu   (%zu pairs)\n",
              system.listed.size());
  for (const int threads : {1, 2, 4, 8}) measure(system, threads);
}
