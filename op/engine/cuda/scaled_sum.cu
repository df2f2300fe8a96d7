// A descriptor that is a sum over neighbours by itself (se_e2_r); engine/plan/sum_constants.h has
// the equation.
#include "engine/cuda/stage.h"
#include "engine/plan/sum_constants.h"

namespace deeptf::device {
namespace {

template <class T>
struct ScaledSum {
  int64_t width;
  T scale;
  const T *sums, *added;
  const int32_t* type;
  T* out;

  DEEPTF_HD void operator()(int64_t k) const {
    const T more = added != nullptr ? added[type[k / width] * width + k % width] : T(0);
    out[k] = (sums[k] + more) * scale;
  }
};

template <class T>
class ScaledSumStage final : public Stage {
 public:
  explicit ScaledSumStage(const StageReader& reader)
      : constants_(reader), added_(constants_.added) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(constants_.takes);
    const int64_t count = block.num_atoms * constants_.width;
    for_each(block.cuda, count,
             ScaledSum<T>{constants_.width, constants_.scale, sums, added_.data(), block.type,
                          values.give<T>(constants_.gives)});
    if (!gradient) return {};
    return [this, count, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes, [&](T* to) {
        for_each(block.cuda, count, Copy<T, T, false>{upper, to, constants_.scale});
      });
    };
  }

 private:
  ScaledSumConstants<T> constants_;
  Constant<T> added_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader) {
  return make_in<Stage, ScaledSumStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
