#include "parameters.h"

#include <algorithm>
#include <stdexcept>

#include "atom.h"
#include "compute.h"
#include "fix.h"
#include "modify.h"
#include "update.h"

namespace deeptf_lammps {

using LAMMPS_NS::Compute;
using LAMMPS_NS::Fix;

Parameters::Parameters(LAMMPS_NS::LAMMPS* lammps, const Source& source, int width, bool each_atom,
                       const char* name)
    : Pointers(lammps), source_(source), width_(width), each_atom_(each_atom), name_(name) {
  const bool counted = source.kind == Source::numbers || source.kind == Source::ttm;
  const int given = source.kind == Source::ttm ? 1 : static_cast<int>(source.values.size());
  if ((source.kind == Source::none) != (width == 0) || (counted && given != width)) {
    throw std::runtime_error(
        "`" + name_ + "` must be " + (width > 0 ? std::to_string(width) + " numbers" : "left out") +
        " for this model, got " +
        (source.kind == Source::none
             ? "none"
             : source.words + (given > 0 ? " with " + std::to_string(given) : "")));
  }
  if (source.kind == Source::ttm) electrons_.emplace(lammps, source.id, source.words);
}

void Parameters::fail(const std::string& must) const {
  throw std::runtime_error("`" + source_.words + "` must name " + must);
}

void Parameters::init() {
  if (electrons_) electrons_->read();
  if (source_.kind == Source::compute) {
    const Compute* found = modify->get_compute_by_id(source_.id);
    if (found == nullptr) fail("a compute, got none of that ID");
    if (each_atom_) {
      const int columns = std::max(found->size_peratom_cols, 1);
      if (!found->peratom_flag || columns != width_) {
        fail("a compute with " + std::to_string(width_) + " numbers per atom, got another one");
      }
    } else if (!(width_ == 1 && found->scalar_flag) &&
               !(found->vector_flag && found->size_vector >= width_)) {
      fail("a compute with a scalar or a vector of " + std::to_string(width_) +
           " numbers, got another one");
    }
  } else if (source_.kind == Source::fix) {
    const Fix* found = modify->get_fix_by_id(source_.id);
    if (found == nullptr) fail("a fix, got none of that ID");
    const int first = std::max(source_.column, 1);
    const bool has_scalar = width_ == 1 && source_.column == 0 && found->scalar_flag;
    if (!has_scalar && !(found->vector_flag && found->size_vector >= first - 1 + width_)) {
      fail("a fix with a scalar or a vector of " + std::to_string(first - 1 + width_) +
           " numbers, got another one");
    }
  }
}

const double* Parameters::values() {
  if (width_ == 0) return nullptr;
  if (source_.kind == Source::numbers) {
    const int count = each_atom_ ? std::max(atom->nlocal, 1) : 1;
    values_.clear();
    for (int k = 0; k < count; ++k) {
      values_.insert(values_.end(), source_.values.begin(), source_.values.end());
    }
  } else if (electrons_) {
    electrons_->read();
    electrons_->at_atoms(&values_);
  } else if (source_.kind == Source::compute) {
    take_compute();
  } else {
    take_fix();
  }
  return values_.data();
}

void Parameters::take_compute() {
  Compute* const found = modify->get_compute_by_id(source_.id);
  if (found == nullptr) fail("a compute, got none of that ID");
  if (each_atom_) return take_atoms(found);
  values_.resize(width_);
  if (width_ == 1 && found->scalar_flag) {
    if (found->invoked_scalar != update->ntimestep) found->compute_scalar();
    values_[0] = found->scalar;
  } else {
    if (found->invoked_vector != update->ntimestep) found->compute_vector();
    std::copy_n(found->vector, width_, values_.begin());
  }
}

void Parameters::take_fix() {
  Fix* const found = modify->get_fix_by_id(source_.id);
  if (found == nullptr) fail("a fix, got none of that ID");
  values_.resize(width_);
  if (width_ == 1 && source_.column == 0 && found->scalar_flag) {
    values_[0] = found->compute_scalar();
  } else {
    const int first = std::max(source_.column, 1) - 1;
    for (int k = 0; k < width_; ++k) values_[k] = found->compute_vector(first + k);
  }
}

void Parameters::take_atoms(Compute* compute) {
  if (compute->invoked_peratom != update->ntimestep) compute->compute_peratom();
  const int atoms = atom->nlocal;
  values_.resize(size_t(std::max(atoms, 1)) * width_);
  for (int k = 0; k < atoms; ++k) {
    if (compute->size_peratom_cols == 0) {
      values_[k] = compute->vector_atom[k];
    } else {
      std::copy_n(compute->array_atom[k], width_, values_.begin() + size_t(k) * width_);
    }
  }
}

}  // namespace deeptf_lammps
