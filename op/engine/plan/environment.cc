// Rows of the environment matrix; core/geometry/environment.h has the equations.
#include "core/geometry/environment.h"

#include "engine/plan/environment_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class EnvironmentStage final : public Stage {
 public:
  explicit EnvironmentStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    environment(inputs(block), block.context, values.give<double>(constants_.gives));
    if (!gradient) return {};
    return [this, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes, [&](double* out) {
        environment_grad(inputs(block), block.context, upper, out);
      });
    };
  }

 private:
  EnvironmentInputs inputs(const AtomBlock& block) const {
    return {block.num_pairs,      block.num_atoms,        static_cast<int32_t>(block.num_types),
            constants_.columns,   block.displacement,     block.centre,
            block.type,           constants_.mean.data(), constants_.stddev.data(),
            constants_.rcut_smth, constants_.rcut};
  }

  EnvironmentConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_environment(const StageReader& reader) {
  return std::make_unique<EnvironmentStage>(reader);
}

}  // namespace deeptf
