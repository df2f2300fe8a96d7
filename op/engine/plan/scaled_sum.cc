// A descriptor that is a sum over neighbours by itself (se_e2_r): D = (sums[:, 0] + added_c) /
// divisor.
#include <algorithm>

#include "engine/plan/stages.h"
#include "engine/plan/sum_constants.h"

namespace deeptf {
namespace {

template <class T>
class ScaledSumStage final : public Stage {
 public:
  explicit ScaledSumStage(const StageReader& reader)
      : constants_(reader),
        takes_(reader.takes()),
        gives_(reader.gives({constants_.width, false, kPrecision<T>})) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(takes_);
    T* out = values.give<T>(gives_);
    const int64_t width = constants_.width;
    const Aligned<T>& all = constants_.added;
    for (int64_t atom = 0; atom < block.num_atoms; ++atom, sums += width, out += width) {
      const T* added = all.size() > 0 ? all.data() + block.type[atom] * width : nullptr;
      for (int64_t m = 0; m < width; ++m) {
        out[m] = (sums[m] + (added != nullptr ? added[m] : T(0))) * constants_.scale;
      }
    }
    if (!gradient) return {};
    return [this, width, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_, [&](T* to) {
        for (int64_t k = 0; k < block.num_atoms * width; ++k) to[k] = upper[k] * constants_.scale;
      });
    };
  }

 private:
  ScaledSumConstants<T> constants_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<ScaledSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
