// A value of atoms times a number: the weight of a term in a sum.
#include "engine/cuda/stage.h"
#include "engine/plan/scaled_constants.h"

namespace deeptf::device {
namespace {

class ScaledStage final : public Stage {
 public:
  explicit ScaledStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t count = block.num_atoms * constants_.width;
    const double* from = values.take<double>(constants_.takes);
    double* out = values.give<double>(constants_.gives);
    for_each(block.cuda, count, Copy<double, double, false>{from, out, constants_.factor});
    if (!gradient) return {};
    return [this, count, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes, [&](double* to) {
        for_each(block.cuda, count, Copy<double, double, false>{upper, to, constants_.factor});
      });
    };
  }

 private:
  ScaledConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled(const StageReader& reader) {
  return std::make_unique<ScaledStage>(reader);
}

}  // namespace deeptf::device
