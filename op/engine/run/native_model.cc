// A model whose plan the engine runs itself.
#include <algorithm>

#include "engine/run/check.h"
#include "engine/run/evaluate.h"
#include "engine/run/frame_centres.h"
#include "engine/run/list_centres.h"
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
    run(FrameCentres(filled.get(), about.rcut), frames.num_atoms, options, results);
  }

  void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                const deeptf_results& results) const override {
    run(ListCentres(list, about.rcut), list.num_centres, options, results);
  }

  void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                const deeptf_results& results) const override {
    run(PairCentres(pairs), pairs.num_centres, options, results);
  }

 private:
  void run(const Centres& centres, int64_t num_energies, const deeptf_options& options,
           const deeptf_results& results) const {
    if (results.atom_energy != nullptr) std::fill_n(results.atom_energy, num_energies, 0.0);
    if (results.atom_value != nullptr) {
      std::fill_n(results.atom_value, num_energies * about.inputs.width, 0.0);
    }
    const int64_t most =
        plan_.block_atoms(options.most_atoms > 0 ? options.most_atoms : kBlockAtoms);
    const Shares shares{num_threads(options), most, options.weight};
    deeptf::evaluate(plan_, about.inputs, centres, shares, results);
  }

  Plan plan_;
};

}  // namespace

std::unique_ptr<Model> load_native(const ModelFile& file) {
  return std::make_unique<NativeModel>(file);
}

}  // namespace deeptf
