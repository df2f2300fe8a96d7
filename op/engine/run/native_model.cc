// A model whose plan the engine runs itself.
#include <algorithm>

#include "engine/run/check.h"
#include "engine/run/evaluate.h"
#include "engine/run/frame_centres.h"
#include "engine/run/list_centres.h"
#include "engine/run/masked_centres.h"
#include "engine/run/model.h"

namespace deeptf {
namespace {

// Atoms whose nets are evaluated together: as many as make the weights of a layer worth reading, as
// few as keep what is on its way in the cache.
constexpr int64_t kBlockAtoms = 256;

class NativeModel final : public Model {
 public:
  explicit NativeModel(const ModelFile& file) : Model(file), plan_(file, about.inputs) {}

  bool is_native() const override { return true; }

  void evaluate(const deeptf_frames& frames, const deeptf_options& options,
                const deeptf_results& results) const override {
    const FilledFrames filled(frames);
    if (about.masked) return evaluate_masked(filled.get(), options, results);
    run(FrameCentres(filled.get(), about.rcut), frames.num_atoms, options, results);
  }

  void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                const deeptf_results& results) const override {
    check_takes_pairs();
    run(ListCentres(list, about.rcut), list.num_centres, options, results);
  }

  void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                const deeptf_results& results) const override {
    check_takes_pairs();
    run(PairCentres(pairs), pairs.num_centres, options, results);
  }

 private:
  void check_takes_pairs() const {
    if (!about.masked) return;
    throw Error(
        "the model must be given coordinates, got neighbours: its atoms see all others; use "
        "deeptf_evaluate");
  }

  void evaluate_masked(const deeptf_frames& frames, const deeptf_options& options,
                       const deeptf_results& results) const {
    check_mask(frames);
    run(MaskedCentres(frames, about.rcut), frames.num_atoms, options, results);
    if (results.virial != nullptr) std::fill_n(results.virial, 9 * frames.num_frames, 0.0);
    if (results.atom_virial != nullptr) std::fill_n(results.atom_virial, 9 * frames.num_atoms, 0.0);
  }

  void run(const Centres& centres, int64_t num_energies, const deeptf_options& options,
           const deeptf_results& results) const {
    if (results.atom_energy != nullptr) std::fill_n(results.atom_energy, num_energies, 0.0);
    const int64_t most =
        plan_.block_atoms(options.most_atoms > 0 ? options.most_atoms : kBlockAtoms);
    deeptf::evaluate(plan_, about.inputs, centres, {num_threads(options), most}, results);
  }

  Plan plan_;
};

}  // namespace

std::unique_ptr<Model> load_native(const ModelFile& file) {
  return std::make_unique<NativeModel>(file);
}

}  // namespace deeptf
