#include "compute_tensor.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "arguments.h"
#include "atom.h"
#include "comm.h"
#include "cores.h"
#include "error.h"
#include "force.h"
#include "guarded.h"
#include "load.h"
#include "memory.h"
#include "neighbor.h"
#include "pair.h"
#include "units.h"
#include "update.h"

namespace deeptf_lammps {

ComputeTensor::ComputeTensor(LAMMPS_NS::LAMMPS* lammps, int count, char** words)
    : Compute(lammps, count, words), listed_(lammps) {
  guarded(error, [&] { read({words + 3, words + count}); });
  peratom_flag = 1;
  size_peratom_cols = model_[0].width();
}

ComputeTensor::~ComputeTensor() { memory->destroy(tensor_); }

void ComputeTensor::read(const std::vector<std::string>& words) {
  if (words.empty()) {
    throw std::runtime_error("`compute deeptf/tensor/atom` must name a model, got none");
  }
  path_ = words[0];
  const auto key = std::find(words.begin() + 1, words.end(), "gpu");
  if (key != words.end() && words.end() - key != 2) {
    throw std::runtime_error("`gpu` must be followed by auto, no or yes and nothing else, got " +
                             std::to_string(words.end() - key - 1) + " words");
  }
  const deeptf_gpu gpu = key == words.end() ? DEEPTF_GPU_AUTO : gpu_of(key[0], key[1]);
  model_.push_back(load(path_, gpu, world).model);
  const deeptf::Model& model = model_[0];
  if (comm->me == 0) LAMMPS_NS::utils::logmesg(lmp, where_it_runs(model, path_));
  if (model.property() != "dipole" && model.property() != "polar") {
    throw std::runtime_error("model " + path_ + " must be one of dipoles or polarizabilities, " +
                             "got one that gives " + model.property());
  }
  if (model.num_fparam() > 0 || model.num_aparam() > 0 || model.hops() > 1) {
    throw std::runtime_error("model " + path_ + " must take no parameters and see no farther " +
                             "than its cut-off, got one that does");
  }
  model_type_ = types_of_names({words.begin() + 1, key}, atom->ntypes, model, path_,
                               std::string("compute ") + style);
}

void ComputeTensor::init() {
  guarded(error, [&] {
    if (std::string(update->unit_style) == "lj") {
      throw std::runtime_error("`units` must be metal, real or others with an angstrom, got lj");
    }
    length_ = Units(*force).length;
    check_reach();
  });
  threads_ = std::max(1, std::min(comm->nthreads, cores_of_rank(world)));
  neighbor->add_request(this,
                        LAMMPS_NS::NeighConst::REQ_FULL | LAMMPS_NS::NeighConst::REQ_OCCASIONAL);
}

// The lists of LAMMPS reach as far as the pair style, or less for some types.
void ComputeTensor::check_reach() const {
  double reach = force->pair != nullptr ? force->pair->cutforce : 0;
  for (int i = 1; i <= atom->ntypes && force->pair != nullptr; ++i) {
    for (int j = i; j <= atom->ntypes; ++j) {
      if (model_type_[i] < 0 || model_type_[j] < 0) continue;
      reach = std::min(reach, std::sqrt(force->pair->cutsq[i][j]));
    }
  }
  const double wanted = model_[0].rcut() * length_;
  if (reach > wanted * (1 - 1e-12)) return;
  throw std::runtime_error("the pair style must have a cut-off of at least " +
                           std::to_string(wanted) + " between all types, as model " + path_ +
                           " has, got " + std::to_string(reach) +
                           ": `pair_style zero` or `hybrid/overlay` with it makes lists longer");
}

void ComputeTensor::compute_peratom() {
  invoked_peratom = update->ntimestep;
  guarded(error, [&] { listed_.check_lists(); });
  if (atom->nmax > most_) {
    memory->destroy(tensor_);
    most_ = atom->nmax;
    memory->create(tensor_, most_, size_peratom_cols, "compute:tensor");
    array_atom = tensor_;
  }
  neighbor->build_one(list_);
  deeptf_neighbor_list atoms = listed_.find(model_type_, length_, *list_);
  atoms.revision = 0;
  deeptf_results results{};
  results.size = sizeof results;
  results.atom_value = atom->nmax > 0 ? tensor_[0] : nullptr;
  const deeptf_options options{sizeof options, threads_, 0, nullptr, nullptr, nullptr, 0};
  guarded_one(error, [&] {
    if (deeptf_evaluate_list(model_[0].get(), &atoms, &options, &results) != 0) {
      throw std::runtime_error("step " + std::to_string(update->ntimestep) + ", model " + path_ +
                               ": " + deeptf_last_error());
    }
  });
  for (int k = 0; k < atom->nlocal; ++k) {
    if (!(atom->mask[k] & groupbit)) std::fill_n(tensor_[k], size_peratom_cols, 0.0);
  }
}

double ComputeTensor::memory_usage() {
  return static_cast<double>(most_) * size_peratom_cols * sizeof(double) + listed_.memory_usage();
}

}  // namespace deeptf_lammps
