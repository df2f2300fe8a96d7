// Rows of the environment matrix; core/geometry/environment.h has the equations.
#include "core/cuda/environment.h"
#include "engine/cuda/stage.h"
#include "engine/plan/environment_constants.h"

namespace deeptf::device {
namespace {

class EnvironmentStage final : public Stage {
 public:
  explicit EnvironmentStage(const StageReader& reader)
      : constants_(reader), mean_(constants_.mean), stddev_(constants_.stddev) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    environment(inputs(block), block.cuda, values.give<double>(constants_.gives));
    if (!gradient) return {};
    return [this, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes, [&](double* out) {
        environment_grad(inputs(block), block.cuda, upper, out);
      });
    };
  }

 private:
  EnvironmentInputs inputs(const Block& block) const {
    return {block.num_pairs,      block.num_all,      static_cast<int32_t>(block.num_types),
            constants_.columns,   block.displacement, block.centre,
            block.atom_type,      mean_.data(),       stddev_.data(),
            constants_.rcut_smth, constants_.rcut};
  }

  EnvironmentConstants constants_;
  Constant<double> mean_, stddev_;
};

}  // namespace

std::unique_ptr<Stage> make_environment(const StageReader& reader) {
  return std::make_unique<EnvironmentStage>(reader);
}

}  // namespace deeptf::device
