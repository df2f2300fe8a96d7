#include "electrons.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "fix.h"
#include "modify.h"

namespace deeptf_lammps {

using LAMMPS_NS::Fix;

namespace {

// The numbers that a fix writes to a restart file; on ranks but the first, none.
std::vector<double> state_of(Fix* fix) {
  char* bytes = nullptr;
  size_t size = 0;
  FILE* const file = open_memstream(&bytes, &size);
  if (file == nullptr) return {};
  fix->write_restart(file);
  std::fclose(file);
  int length = 0;  // in bytes, of what follows
  std::vector<double> numbers;
  if (size >= sizeof length) std::memcpy(&length, bytes, sizeof length);
  if (length > 0 && size == sizeof length + length) {
    numbers.resize(length / sizeof(double));
    std::memcpy(numbers.data(), bytes + sizeof length, numbers.size() * sizeof(double));
  }
  std::free(bytes);
  return numbers;
}

}  // namespace

Fix* Electrons::fix() const {
  Fix* const found = modify->get_fix_by_id(fix_id_);
  const std::string style = found == nullptr ? "none of that ID" : found->style;
  if (style == "ttm") return found;
  throw std::runtime_error("`" + words_ + "` must name a fix ttm, got " +
                           (found == nullptr ? style : "a fix " + style));
}

void Electrons::read() {
  constexpr size_t kBegin = 4;  // numbers before the temperatures
  const std::vector<double> state = state_of(fix());
  std::fill_n(cells_, 3, 0);
  if (comm->me == 0 && state.size() > kBegin &&
      state[0] * state[1] * state[2] == static_cast<double>(state.size() - kBegin)) {
    std::copy_n(state.begin(), 3, cells_);
    temperature_.assign(state.begin() + kBegin, state.end());
  }
  MPI_Bcast(cells_, 3, MPI_INT, 0, world);
  if (cells_[0] == 0) {
    throw std::runtime_error("`" + words_ +
                             "` must name a fix ttm that saves its temperatures as "
                             "those of LAMMPS from 2022 on do, got another one: give them by "
                             "`aparam_from_compute`");
  }
  temperature_.resize(size_t(cells_[0]) * cells_[1] * cells_[2]);
  MPI_Bcast(temperature_.data(), static_cast<int>(temperature_.size()), MPI_DOUBLE, 0, world);
}

int Electrons::cell_of(const double* place) const {
  int cell = 0;
  for (int k = 2; k >= 0; --k) {
    double share = (place[k] - domain->boxlo[k]) / domain->prd[k];
    share -= std::floor(share);
    const bool inside = share >= 0;  // unlike a place that is no number
    const int own = inside ? static_cast<int>(share * cells_[k]) : 0;
    cell = cell * cells_[k] + std::min(own, cells_[k] - 1);
  }
  return cell;
}

void Electrons::at_atoms(std::vector<double>* values) const {
  values->resize(std::max(atom->nlocal, 1));
  for (int k = 0; k < atom->nlocal; ++k) (*values)[k] = temperature_[cell_of(atom->x[k])];
}

}  // namespace deeptf_lammps
