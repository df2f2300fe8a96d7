// Rows of the environment matrix; core/geometry/environment.h has the equations.
#include "core/geometry/environment.h"

#include "engine/plan/environment_constants.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

class EnvironmentStage final : public Stage {
 public:
  explicit EnvironmentStage(const StageReader& reader)
      : constants_(reader), takes_(reader.takes()), gives_(reader.gives(constants_.rows(reader))) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    environment(inputs(block), block.context, values.give<double>(gives_));
    if (!gradient) return {};
    return [this, &block, &values] {
      const double* upper = values.gradient<double>(gives_);
      values.add_gradient<double>(
          takes_, [&](double* out) { environment_grad(inputs(block), block.context, upper, out); });
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
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_environment(const StageReader& reader) {
  return std::make_unique<EnvironmentStage>(reader);
}

}  // namespace deeptf
