// Rows of the environment matrix; core/geometry/environment.h has the equations.
#include "core/geometry/environment.h"

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

class EnvironmentStage final : public Stage {
 public:
  explicit EnvironmentStage(const StageReader& reader)
      : columns_(reader.integer("columns", 1, 4)),
        rcut_smth_(reader.number("rcut_smth")),
        rcut_(reader.number("rcut")),
        mean_(reader.constant<double>("mean", {reader.inputs.num_types, columns_})),
        stddev_(reader.constant<double>("stddev", {reader.inputs.num_types, columns_})),
        takes_(reader.takes()),
        gives_(reader.gives({columns_, true, Precision::float64, reader.set()})) {
    if (columns_ != 1 && columns_ != 4) {
      throw Error("`columns` of a stage must be 1 or 4, got " + std::to_string(columns_));
    }
    const ValueType& taken = reader.type_of(takes_);
    if (!taken.of_pairs || taken.width != 3) throw Error("an environment must take pairs");
    const double reach = reader.file.metadata().at("rcut").number();  // of the pairs
    if (!(rcut_ <= reach)) {
      throw Error("`rcut` of a stage must be at most " + std::to_string(reach) +
                  ", that of the model, got " + std::to_string(rcut_));
    }
    if (!(rcut_smth_ >= 0 && rcut_smth_ < rcut_)) {
      throw Error("`rcut_smth` of a stage must be from 0 to below its `rcut`");
    }
    for (const double value : stddev_.numbers) {
      if (!(value > 0)) throw Error("`stddev` of an environment must be positive");
    }
  }

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
    return {block.num_pairs,
            block.num_atoms,
            static_cast<int32_t>(block.num_types),
            columns_,
            block.displacement,
            block.centre,
            block.type,
            mean_.data(),
            stddev_.data(),
            rcut_smth_,
            rcut_};
  }

  int64_t columns_;
  double rcut_smth_, rcut_;
  Aligned<double> mean_, stddev_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_environment(const StageReader& reader) {
  return std::make_unique<EnvironmentStage>(reader);
}

}  // namespace deeptf
