// One energy of an atom in place of another, as far as a switch says.
#include "engine/plan/centre_pairs_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class BlendStage final : public Stage {
 public:
  explicit BlendStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const double* taken[3];
    for (int k = 0; k < 3; ++k) taken[k] = values.take<double>(constants_.takes[k]);
    const int64_t n = block.num_atoms;
    double *difference = values.keep<double>(n), *out = values.give<double>(constants_.gives);
    for (int64_t atom = 0; atom < n; ++atom) {
      const double added = constants_.added.size() > 0 ? constants_.added[block.type[atom]] : 0;
      difference[atom] = taken[1][atom] + added - taken[2][atom];
      out[atom] = taken[2][atom] + taken[0][atom] * difference[atom];
    }
    if (!gradient) return {};
    const double* share = taken[0];
    return [this, n, share, difference, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      add(0, values, n, [&](int64_t k) { return upper[k] * difference[k]; });
      add(1, values, n, [&](int64_t k) { return upper[k] * share[k]; });
      add(2, values, n, [&](int64_t k) { return upper[k] * (1 - share[k]); });
    };
  }

 private:
  template <class Part>
  void add(int which, Values& values, int64_t count, const Part& part) const {
    values.add_gradient<double>(constants_.takes[which], [&](double* out) {
      for (int64_t k = 0; k < count; ++k) out[k] = part(k);
    });
  }

  BlendConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_blend(const StageReader& reader) {
  return std::make_unique<BlendStage>(reader);
}

}  // namespace deeptf
