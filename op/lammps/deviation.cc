#include "deviation.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iomanip>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "atom.h"
#include "comm.h"
#include "deeptf.hpp"
#include "update.h"

namespace deeptf_lammps {
namespace {

constexpr int kStepWidth = 12, kWidth = 18;

}  // namespace

DeviationFile::DeviationFile(LAMMPS_NS::LAMMPS* lammps, const Arguments& arguments, bool with_spins)
    : Pointers(lammps), arguments_(arguments) {
  int number = 0;
  if (comm->me == 0) {
    errno = 0;
    file_.open(arguments_.out_file);
    if (!file_) number = errno != 0 ? errno : EIO;
  }
  MPI_Bcast(&number, 1, MPI_INT, 0, world);
  if (number != 0) {
    throw std::runtime_error("`out_file` " + arguments_.out_file +
                             " must be writable: " + std::strerror(number));
  }
  if (comm->me != 0) return;
  file_ << "#" << std::setw(kStepWidth - 1) << "step";
  std::vector<const char*> kinds{"v", "f"};
  if (with_spins) kinds = {"v", "fr", "fm"};
  for (const std::string kind : kinds) {
    for (const char* which : {"max", "min", "avg"}) {
      file_ << std::setw(kWidth + 1) << which + ("_devi_" + kind);
    }
  }
  if (arguments_.atomic) file_ << std::setw(kWidth + 1) << "atm_devi_f(N)";
  file_ << std::endl << std::scientific;
}

bool DeviationFile::is_due() const {
  return arguments_.out_freq > 0 && update->ntimestep % arguments_.out_freq == 0;
}

void DeviationFile::put(double value) { file_ << ' ' << std::setw(kWidth) << value; }

void DeviationFile::write(const Opinions& opinions, double energy, double length) {
  const std::vector<double> own = of_forces(opinions.force, energy / length);
  std::vector<double> numbers = over_atoms(own);
  const auto count = static_cast<int64_t>(numbers.back());  // atom->natoms may have lost ones
  numbers.pop_back();
  if (!opinions.magnetic.empty()) {
    const std::vector<double> more = over_atoms(of_forces(opinions.magnetic, energy));
    numbers.insert(numbers.end(), more.begin(), more.begin() + 3);
  }
  const std::vector<double> virial = of_virial(opinions, count);
  const std::vector<double> each = arguments_.atomic ? of_all_atoms(own) : std::vector<double>();
  if (comm->me != 0) return;
  const double unit = arguments_.relative_v > 0 ? 1 : energy;
  const auto range = std::minmax_element(virial.begin(), virial.end());
  const double square = std::inner_product(virial.begin(), virial.end(), virial.begin(), 0.0);
  file_ << std::setw(kStepWidth) << update->ntimestep;
  put(*range.second * unit);
  put(*range.first * unit);
  put(std::sqrt(square / static_cast<double>(virial.size())) * unit);
  for (const double value : numbers) put(value);
  for (const double value : each) put(value);
  file_ << std::endl;
}

// [nlocal] of one kind of forces, of which `unit` is that of the models in those of the run.
std::vector<double> DeviationFile::of_forces(const std::vector<const double*>& force,
                                             double unit) const {
  const int atoms = atom->nlocal;
  std::vector<double> own(std::max(atoms, 1));
  deeptf::check(deeptf_force_deviation(static_cast<int32_t>(force.size()), atoms, force.data(),
                                       arguments_.relative, own.data()));
  own.resize(atoms);
  for (double& value : own) value *= arguments_.relative > 0 ? 1 : unit;
  return own;
}

// The largest, the smallest and the mean of all ranks on the first one, and their number on all.
std::vector<double> DeviationFile::over_atoms(const std::vector<double>& own) const {
  double most[2] = {0, -std::numeric_limits<double>::infinity()}, all[2] = {};
  double sum[2] = {0, static_cast<double>(own.size())}, total[2];
  for (const double value : own) {
    most[0] = std::max(most[0], value);
    most[1] = std::max(most[1], -value);
    sum[0] += value;
  }
  MPI_Reduce(most, all, 2, MPI_DOUBLE, MPI_MAX, 0, world);
  MPI_Allreduce(sum, total, 2, MPI_DOUBLE, MPI_SUM, world);
  const double count = total[1];
  return {all[0], count > 0 ? -all[1] : 0, count > 0 ? total[0] / count : 0, count};
}

// [9] of the virials of all ranks, on the first one.
std::vector<double> DeviationFile::of_virial(const Opinions& opinions, int64_t atoms) const {
  const size_t models = opinions.virial.size();
  std::vector<double> own, sum(9 * models), deviation(9);
  for (const double* one : opinions.virial) own.insert(own.end(), one, one + 9);
  MPI_Reduce(own.data(), sum.data(), static_cast<int>(sum.size()), MPI_DOUBLE, MPI_SUM, 0, world);
  std::vector<const double*> virial;
  for (size_t k = 0; k < models; ++k) virial.push_back(sum.data() + 9 * k);
  deeptf::check(deeptf_virial_deviation(static_cast<int32_t>(models), std::max<int64_t>(atoms, 1),
                                        virial.data(), arguments_.relative_v, deviation.data()));
  return deviation;
}

// Those of all ranks in the order of atom IDs, on the first one.
std::vector<double> DeviationFile::of_all_atoms(std::vector<double> own) const {
  auto atoms = static_cast<int>(own.size());
  std::vector<int> count(comm->nprocs), begin(comm->nprocs);
  MPI_Gather(&atoms, 1, MPI_INT, count.data(), 1, MPI_INT, 0, world);
  for (int rank = 1; rank < comm->nprocs; ++rank) begin[rank] = begin[rank - 1] + count[rank - 1];
  const int total = begin.back() + count.back();
  std::vector<double> own_id(atom->tag, atom->tag + atoms);  // exact below 2^53
  std::vector<double> value(total), id(total), sorted(total);
  MPI_Gatherv(own.data(), atoms, MPI_DOUBLE, value.data(), count.data(), begin.data(), MPI_DOUBLE,
              0, world);
  MPI_Gatherv(own_id.data(), atoms, MPI_DOUBLE, id.data(), count.data(), begin.data(), MPI_DOUBLE,
              0, world);
  std::vector<int> order(total);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return id[a] < id[b]; });
  for (int k = 0; k < total; ++k) sorted[k] = value[order[k]];
  return sorted;
}

}  // namespace deeptf_lammps
