// A model whose plan the engine runs itself.
#include <algorithm>

#include "engine/run/check.h"
#include "engine/run/chosen_centres.h"
#include "engine/run/evaluate.h"
#include "engine/run/frame_centres.h"
#include "engine/run/list_centres.h"
#include "engine/run/long_range.h"
#include "engine/run/masked_centres.h"
#include "engine/run/model.h"

namespace deeptf {
namespace {

// Atoms whose nets are evaluated together: as many as make the weights of a layer worth reading, as
// few as keep what is on its way in the cache.
constexpr int64_t kBlockAtoms = 256;

class NativeModel final : public Model {
 public:
  explicit NativeModel(const ModelFile& file)
      : Model(file), plan_(file, about.inputs), charges_(read_charges(file, about.inputs)) {}

  bool is_native() const override { return true; }

  void evaluate(const deeptf_frames& frames, const deeptf_options& options,
                const deeptf_results& results) const override {
    const FilledFrames filled(frames);
    if (about.masked) return evaluate_masked(filled.get(), options, results);
    const ChargedAtoms atoms{filled.get().coord, filled.get().cell};
    const FrameCentres all(filled.get(), about.rcut);
    if (about.spins.count() > 0) {
      const Inputs& inputs = about.inputs;
      const ChosenCentres centres(all, first_types(inputs.num_real_types(), inputs.num_types));
      const Spins spins = spins_of(centres, filled.get().frame_row);
      return run_spins(spins, centres, frames.num_atoms, atoms, options, results);
    }
    run(all, frames.num_atoms, atoms, options, results);
  }

  void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                const deeptf_results& results) const override {
    check_takes_neighbours(about);
    const double no_cell[9] = {};
    const ListCentres centres(list, about.rcut, about.inputs.num_real_types());
    if (about.spins.count() > 0) {  // virtual atoms are at their own places too
      const int32_t frame_row[2] = {0, list.num_all};
      return run_spins(spins_of(centres, frame_row), centres, list.num_centres,
                       {list.coord, no_cell}, options, results);
    }
    run(centres, list.num_centres, {list.coord, list.cell != nullptr ? list.cell : no_cell},
        options, results);
  }

  void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                const deeptf_results& results) const override {
    check_takes_neighbours(about);
    check_takes_pairs(about);
    if (charges_ != nullptr) throw Error(kChargesTakeNoPairs);
    run(PairCentres(pairs), pairs.num_centres, {}, options, results);
  }

 private:
  void evaluate_masked(const deeptf_frames& frames, const deeptf_options& options,
                       const deeptf_results& results) const {
    check_mask(frames);
    deeptf_results others = results;  // there is nothing to strain
    others.virial = others.atom_virial = nullptr;
    run(MaskedCentres(frames, about.rcut), frames.num_atoms, {}, options, others);
    if (results.virial != nullptr) std::fill_n(results.virial, 9 * frames.num_frames, 0.0);
    if (results.atom_virial != nullptr) std::fill_n(results.atom_virial, 9 * frames.num_atoms, 0.0);
  }

  Spins spins_of(const Centres& centres, const int32_t* frame_row) const {
    return find_spins(about.spins, about.inputs.num_types, centres.num_frames, frame_row,
                      centres.type);
  }

  void run_spins(const Spins& spins, const Centres& centres, int64_t num_energies,
                 const ChargedAtoms& atoms, const deeptf_options& options,
                 const deeptf_results& results) const {
    deeptf_results found = results;
    std::vector<double> force;
    const bool wants_virial = results.virial != nullptr || results.atom_virial != nullptr;
    if (results.force == nullptr && wants_virial) {
      force.resize(3 * centres.num_atoms);
      found.force = force.data();
    }
    run(centres, num_energies, atoms, options, found);
    if (found.force != nullptr) give_back(spins, atoms.coord, atoms.cell, found);
  }

  void run(const Centres& centres, int64_t num_energies, const ChargedAtoms& atoms,
           const deeptf_options& options, const deeptf_results& results) const {
    if (results.atom_energy != nullptr) std::fill_n(results.atom_energy, num_energies, 0.0);
    if (results.atom_value != nullptr) {
      std::fill_n(results.atom_value, num_energies * about.inputs.width, 0.0);
    }
    const int64_t most =
        plan_.block_atoms(options.most_atoms > 0 ? options.most_atoms : kBlockAtoms);
    const Shares shares{num_threads(options), most, options.weight};
    clear(about.inputs, centres, results);
    deeptf::evaluate(plan_, about.inputs, centres, shares, results);
    if (charges_ == nullptr) return;
    const Parts parts{options.add_parts, options.parts, std::max(options.num_parts, 1)};
    add_long_range(*charges_, centres, atoms, parts, {shares.threads, most, nullptr}, results);
  }

  Plan plan_;
  std::unique_ptr<ChargeTerm> charges_;  // or NULL
};

}  // namespace

std::unique_ptr<Model> load_native(const ModelFile& file) {
  return std::make_unique<NativeModel>(file);
}

}  // namespace deeptf
