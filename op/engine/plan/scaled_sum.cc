// A descriptor that is a sum over neighbours by itself (se_e2_r): D = (sums[:, 0] + added_c) /
// divisor.

#include "engine/plan/stage.h"
#include "engine/plan/sum_constants.h"

namespace deeptf {
namespace {

template <class T>
class ScaledSumStage final : public Stage {
 public:
  explicit ScaledSumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(constants_.takes);
    T* out = values.give<T>(constants_.gives);
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
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes, [&](T* to) {
        for (int64_t k = 0; k < block.num_atoms * width; ++k) to[k] = upper[k] * constants_.scale;
      });
    };
  }

 private:
  ScaledSumConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader) {
  return make_in<Stage, ScaledSumStage>(reader.precision(), reader);
}

}  // namespace deeptf
