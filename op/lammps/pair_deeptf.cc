#include "pair_deeptf.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "atom.h"
#include "comm.h"
#include "cores.h"
#include "error.h"
#include "guarded.h"
#include "load.h"
#include "memory.h"
#include "neighbor.h"
#include "update.h"

namespace deeptf_lammps {
namespace {

std::vector<std::string> strings(int count, char** words) { return {words, words + count}; }

}  // namespace

PairDeeptf::PairDeeptf(LAMMPS_NS::LAMMPS* lammps, bool for_spins)
    : Pair(lammps), for_spins_(for_spins), listed_(lammps) {
  single_enable = 0;
  restartinfo = 0;
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;
  centroidstressflag = LAMMPS_NS::CENTROID_AVAIL;
  comm_reverse = comm_reverse_off = 9;  // buffers; of forces three numbers are sent
}

PairDeeptf::~PairDeeptf() {
  if (copymode || !allocated) return;
  memory->destroy(setflag);
  memory->destroy(cutsq);
  memory->destroy(scale_);
}

void PairDeeptf::allocate() {
  const int size = atom->ntypes + 1;
  memory->create(setflag, size, size, "pair:setflag");
  memory->create(cutsq, size, size, "pair:cutsq");
  memory->create(scale_, size, size, "pair:scale");
  for (int i = 1; i < size; ++i) {
    std::fill_n(setflag[i], size, 0);
    std::fill_n(scale_[i], size, 1.0);
  }
  allocated = 1;
}

void PairDeeptf::settings(int count, char** words) {
  guarded(error, [&] {
    given_ = Arguments(strings(count, words));
    models_.clear();
    deviation_.reset();
    for (const std::string& path : given_.models) add_model(path);
    check_models();
    if (comm->me == 0) warn();
    found_.assign(models_.size(), {});
    const deeptf::Model& first = models_[0];
    virtual_.reset();
    if (first.num_spin_types() > 0) virtual_ = std::make_unique<VirtualAtoms>(lmp, first);
    outside_ = std::make_unique<OutsidePairs>(lmp, first.num_types());
    fparam_ = std::make_unique<Parameters>(lmp, given_.fparam, first.num_fparam(), false, "fparam");
    aparam_ = std::make_unique<Parameters>(lmp, given_.aparam, first.num_aparam(), true, "aparam");
    if (models_.size() > 1 && given_.out_freq > 0) {
      deviation_ = std::make_unique<DeviationFile>(lmp, given_, virtual_ != nullptr);
    }
  });
}

// Of what is given and has no effect.
void PairDeeptf::warn() const {
  if (models_.size() == 1 && given_.writes) {
    error->warning(FLERR,
                   "`out_file` and `out_freq` have no effect with one model: they are for "
                   "deviations of several");
  }
  if (atom->sp_flag && models_[0].num_spin_types() == 0) {
    error->warning(FLERR, "spins of atoms do not act on this pair style: its model has none");
  }
}

void PairDeeptf::add_model(const std::string& path) {
  Loaded loaded = load_word(path);
  models_.push_back(std::move(loaded.model));
  if (comm->me == 0) LAMMPS_NS::utils::logmesg(lmp, where_it_runs(models_.back(), path));
  if (comm->me == 0 && loaded.path != path) {
    LAMMPS_NS::utils::logmesg(
        lmp, "Model " + path + " of deepmd-kit was converted: " + loaded.path + " is used\n");
  }
}

// A misspelt keyword is taken for a model file, whose names have a dot as a rule.
Loaded PairDeeptf::load_word(const std::string& path) const {
  try {
    return load(path, given_.gpu, world);
  } catch (const std::runtime_error& error) {
    if (models_.empty() || path.find('.') != std::string::npos) throw;
    throw std::runtime_error(std::string(error.what()) + "; it is no keyword either, which are " +
                             names_of_keywords());
  }
}

void PairDeeptf::check_models() const {
  const deeptf::Model& first = models_[0];
  if (for_spins_ && first.num_spin_types() == 0) {
    throw std::runtime_error("pair_style deepspin must have a model with spins, got " +
                             given_.models[0] + " without: `pair_style deeptf` runs it");
  }
  for (size_t k = 0; k < models_.size(); ++k) {
    const deeptf::Model& model = models_[k];
    if (model.property() != "energy") {
      throw std::runtime_error(
          "model " + given_.models[k] + " must be one of energies, got one " + "that gives " +
          model.property() + ": `compute deeptf/tensor/atom` is for dipoles and polarizabilities");
    }
    if (model.hops() > 1) {
      throw std::runtime_error("model " + given_.models[k] + " must not see farther than its " +
                               "cut-off, got one with message passing");
    }
    check_spins(k);
    if (model.type_map() != first.type_map() || model.rcut() > first.rcut() ||
        model.num_fparam() != first.num_fparam() || model.num_aparam() != first.num_aparam()) {
      throw std::runtime_error("model " + given_.models[k] + " must have the types (" +
                               names_of(first) +
                               ") and parameters of the first model and no larger cut-off, got (" +
                               names_of(model) + ") and " + std::to_string(model.rcut()) + " A");
    }
  }
}

// The lengths must be the same: virtual atoms are made once.
void PairDeeptf::check_spins(size_t number) const {
  const deeptf::Model &first = models_[0], &model = models_[number];
  bool like = model.num_spin_types() == first.num_spin_types();
  for (int type = 0; type < first.num_spin_types() && like; ++type) {
    like = model.virtual_len(type) == first.virtual_len(type) &&
           model.spin_norm(type) == first.spin_norm(type);
  }
  if (like) return;
  throw std::runtime_error("model " + given_.models[number] + " must have the spins of the first " +
                           "model, `use_spin`, `virtual_len` and `spin_norm`, got others");
}

void PairDeeptf::coeff(int count, char** words) {
  if (!allocated) allocate();
  // LAMMPS sees to it that the first two words are stars (one_coeff).
  guarded(error, [&] {
    model_type_ = types_of_names(strings(count - 2, words + 2), atom->ntypes, models_[0],
                                 given_.models[0], "pair_coeff");
  });
  // Below a hybrid style only types with a name are taken from the other styles.
  const bool alone = force->pair == this;
  for (int i = 1; i <= atom->ntypes; ++i) {
    for (int j = i; j <= atom->ntypes; ++j) {
      setflag[i][j] = alone || (model_type_[i] >= 0 && model_type_[j] >= 0) ? 1 : 0;
    }
  }
}

void PairDeeptf::init_style() {
  guarded(error, [&] {
    if (std::string(update->unit_style) == "lj") {
      throw std::runtime_error("`units` must be metal, real or others with an angstrom, got lj");
    }
    if (neighbor->includegroup != 0) {
      throw std::runtime_error(
          "`neigh_modify include` must be `all`: the model needs the neighbours of all atoms");
    }
    if (given_.atomic && !atom->tag_enable) {
      throw std::runtime_error("atoms must have IDs for `atomic`: leave out `atom_modify id no`");
    }
    if (virtual_) virtual_->init(model_type_);
    fparam_->init();
    aparam_->init();
  });
  units_ = Units(*force);
  const int cores = cores_of_rank(world),
            wanted = given_.threads > 0 ? given_.threads : comm->nthreads;
  threads_ = std::max(1, std::min(wanted, cores));
  if (given_.threads > threads_ && comm->me == 0) {
    error->warning(FLERR, "Pair style deeptf runs with " + std::to_string(threads_) +
                              " threads: no more cores for this rank");
  }
  outside_->begin_run();
  neighbor->add_request(this, LAMMPS_NS::NeighConst::REQ_FULL);
}

double PairDeeptf::init_one(int i, int j) {
  scale_[j][i] = scale_[i][j];
  // A virtual atom may be near where its atom is not.
  return (models_[0].rcut() + (virtual_ ? virtual_->reach() : 0)) * units_.length;
}

void* PairDeeptf::extract(const char* name, int& dimension) {
  if (std::string(name) != "scale") return nullptr;
  dimension = 2;
  return scale_;
}

double PairDeeptf::memory_usage() {
  size_t numbers = atom_energy_.size() + atom_virial_.size();
  for (const Found& found : found_) numbers += found.force.size();
  return static_cast<double>(numbers * sizeof(double)) + listed_.memory_usage();
}

}  // namespace deeptf_lammps
