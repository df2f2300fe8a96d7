// A vector of each atom: v_a = sum_m Q_am w_m.
#include <algorithm>

#include "engine/plan/axis_products.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

class AxisVectorStage final : public Stage {
 public:
  explicit AxisVectorStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const double* axes = values.take<double>(constants_.takes.axes);
    const double* numbers = values.take<double>(constants_.takes.numbers);
    const int64_t width = constants_.takes.width;
    double* vector = values.give<double>(constants_.gives);
    for (int64_t row = 0; row < 3 * block.num_atoms; ++row) {
      const double *q = axes + row * width, *w = numbers + row / 3 * width;
      vector[row] = 0;
      for (int64_t m = 0; m < width; ++m) vector[row] += q[m] * w[m];
    }
    if (!gradient) return {};
    return [this, axes, numbers, width, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes.axes, [&](double* to) {
        for (int64_t row = 0; row < 3 * block.num_atoms; ++row) {
          const double* w = numbers + row / 3 * width;
          for (int64_t m = 0; m < width; ++m) to[row * width + m] = upper[row] * w[m];
        }
      });
      values.add_gradient<double>(constants_.takes.numbers, [&](double* to) {
        std::fill_n(to, block.num_atoms * width, 0.0);
        for (int64_t row = 0; row < 3 * block.num_atoms; ++row) {
          double* own = to + row / 3 * width;
          for (int64_t m = 0; m < width; ++m) own[m] += upper[row] * axes[row * width + m];
        }
      });
    };
  }

 private:
  AxisVectorConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_axis_vector(const StageReader& reader) {
  return std::make_unique<AxisVectorStage>(reader);
}

}  // namespace deeptf
