// Descriptors of neighbours in local axes; core/geometry/local_frames.h has the equations.
#include "engine/plan/local_frames_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class LocalFramesStage final : public Stage {
 public:
  explicit LocalFramesStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const LocalFrames& frames = constants_.frames;
    const LocalFramesInputs in{frames,     block.num_atoms,      block.num_pairs,
                               block.type, block.neighbor_count, block.displacement};
    const int64_t width = constants_.width;
    double* rows = values.give<double>(constants_.gives);
    int32_t* chosen = values.keep<int32_t>(block.num_atoms * frames.num_chosen());
    int32_t* lack = values.keep<int32_t>(block.num_atoms);
    local_frames(in, block.context, rows, chosen, lack);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      const int64_t type = block.type[atom];
      if (lack[atom] != kNothing) {
        throw Error("atom " + std::to_string(block.atom[atom]) + ": " +
                    constants_.text_of(type, lack[atom]));
      }
      for (int64_t k = 0; k < width; ++k) {
        double& value = rows[atom * width + k];
        value = (value - constants_.mean[type * width + k]) / constants_.stddev[type * width + k];
      }
    }
    if (!gradient) return {};
    return [this, in, width, chosen, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      double* rows_grad = values.keep<double>(block.num_atoms * width);
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        const double* stddev = constants_.stddev.data() + block.type[atom] * width;
        for (int64_t k = 0; k < width; ++k) {
          rows_grad[atom * width + k] = upper[atom * width + k] / stddev[k];
        }
      }
      values.add_gradient<double>(constants_.takes, [&](double* out) {
        local_frames_grad(in, block.context, chosen, rows_grad, out);
      });
    };
  }

 private:
  LocalFramesConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_local_frames(const StageReader& reader) {
  return std::make_unique<LocalFramesStage>(reader);
}

}  // namespace deeptf
