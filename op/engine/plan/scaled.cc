// A value of atoms times a number: the weight of a term in a sum.
#include "engine/plan/scaled_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class ScaledStage final : public Stage {
 public:
  explicit ScaledStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t count = block.num_atoms * constants_.width;
    scale(values.take<double>(constants_.takes), count, values.give<double>(constants_.gives));
    if (!gradient) return {};
    return [this, count, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes, [&](double* to) { scale(upper, count, to); });
    };
  }

 private:
  void scale(const double* from, int64_t count, double* to) const {
    for (int64_t k = 0; k < count; ++k) to[k] = constants_.factor * from[k];
  }

  ScaledConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled(const StageReader& reader) {
  return std::make_unique<ScaledStage>(reader);
}

}  // namespace deeptf
