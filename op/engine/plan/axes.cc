// The axes of the atoms: Q [3, M] = sums[1:] / places, those of several sums side by side.
#include <algorithm>

#include "engine/plan/axes_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class AxesStage final : public Stage {
 public:
  explicit AxesStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    double* axes = values.give<double>(constants_.gives);
    for (const Part& part : constants_.parts) {
      const double* sums = values.take<double>(part.takes);
      over_rows(block, part, [&](int64_t sum, int64_t axis) {
        for (int64_t m = 0; m < part.width; ++m) axes[axis + m] = part.scale * sums[sum + m];
      });
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      for (const Part& part : constants_.parts) {
        values.add_gradient<double>(part.takes, [&](double* to) {
          std::fill_n(to, block.num_atoms * 4 * part.width, 0.0);
          over_rows(block, part, [&](int64_t sum, int64_t axis) {
            for (int64_t m = 0; m < part.width; ++m) to[sum + m] = part.scale * upper[axis + m];
          });
        });
      }
    };
  }

 private:
  using Part = AxesConstants::Part;

  // Calls body(begin of a row of sums, begin of that of axes) for x, y and z of each atom.
  template <class Body>
  void over_rows(const AtomBlock& block, const Part& part, const Body& body) const {
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      for (int64_t a = 0; a < 3; ++a) {
        body((atom * 4 + a + 1) * part.width, (atom * 3 + a) * constants_.width + part.column);
      }
    }
  }

  AxesConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_axes(const StageReader& reader) {
  return std::make_unique<AxesStage>(reader);
}

}  // namespace deeptf
