#include "outside.h"

#include <cmath>
#include <limits>

#include "comm.h"
#include "error.h"
#include "update.h"

namespace deeptf_lammps {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

double distance_between(const double* a, const double* b) {
  const double d[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
  return std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
}

}  // namespace

OutsidePairs::OutsidePairs(LAMMPS_NS::LAMMPS* lammps, int num_types)
    : Pointers(lammps),
      num_types_(num_types),
      count_of_step_(size_t(num_types) * num_types),
      distance_of_step_(size_t(num_types) * num_types) {
  begin_run();
}

void OutsidePairs::begin_run() {
  count_.assign(count_of_step_.size(), 0);
  closest_.assign(count_.size(), {kFar});
}

void OutsidePairs::collect(deeptf_results* results) {
  results->outside_count = count_of_step_.data();
  results->outside_distance = distance_of_step_.data();
}

void OutsidePairs::add(const deeptf_neighbor_list& atoms) {
  for (size_t kind = 0; kind < count_.size(); ++kind) {
    count_[kind] += count_of_step_[kind];
    if (count_of_step_[kind] == 0 || distance_of_step_[kind] >= closest_[kind].distance) continue;
    closest_[kind] = closest_pair(atoms, static_cast<int>(kind));
  }
}

// Looks for the atoms: that is seldom, so the engine need not keep them.
OutsidePairs::Closest OutsidePairs::closest_pair(const deeptf_neighbor_list& atoms,
                                                 int kind) const {
  Closest closest{kFar};
  for (int k = 0; k < atoms.num_lists; ++k) {
    const int centre = atoms.centre[k];
    if (atoms.type[centre] != kind / num_types_) continue;
    for (int n = 0; n < atoms.num_neighbors[k]; ++n) {
      const int neighbor = atoms.neighbors[k][n] & atoms.neighbor_mask;
      if (atoms.type[neighbor] != kind % num_types_) continue;
      const double* at = atoms.coord;
      const double distance = distance_between(at + 3 * size_t(centre), at + 3 * size_t(neighbor));
      if (distance >= closest.distance) continue;
      closest = {distance, 0, 0, static_cast<long long>(update->ntimestep)};
      if (atoms.id == nullptr) continue;
      closest.centre = atoms.id[centre];
      closest.neighbor = atoms.id[neighbor];
    }
  }
  return closest;
}

OutsidePairs::Closest OutsidePairs::of_all_ranks(const Closest& own) const {
  struct {
    double distance;
    int rank;
  } mine{own.distance, comm->me}, least{};
  MPI_Allreduce(&mine, &least, 1, MPI_DOUBLE_INT, MPI_MINLOC, world);
  Closest closest = own;
  MPI_Bcast(&closest, sizeof closest, MPI_BYTE, least.rank, world);
  return closest;
}

void OutsidePairs::report(const deeptf::Model& model, const std::string& path) const {
  const int kinds = num_types_ * num_types_;
  std::vector<long long> own = count_, count(kinds);
  MPI_Allreduce(own.data(), count.data(), kinds, MPI_LONG_LONG, MPI_SUM, world);
  for (int kind = 0; kind < kinds; ++kind) {
    if (count[kind] == 0) continue;
    const Closest closest = of_all_ranks(closest_[kind]);
    if (comm->me != 0) continue;
    const int centre = kind / num_types_, neighbor = kind % num_types_;
    const std::string atoms = closest.centre == 0 ? ""
                                                  : " of atoms " + std::to_string(closest.centre) +
                                                        " and " + std::to_string(closest.neighbor);
    error->warning(
        "deeptf", 0,
        "{} times a neighbour of type {} of an atom of type {} was closer than in the data "
        "of model {}, which end at {:.3f} A: the closest at {:.3f} A{} in step {}",
        count[kind], deeptf_type_name(model.get(), neighbor), deeptf_type_name(model.get(), centre),
        path, model.data_end(centre, neighbor), closest.distance, atoms, closest.step);
  }
}

}  // namespace deeptf_lammps
