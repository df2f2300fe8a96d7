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
      : ScaledSumStage(reader, ScaledSumConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(takes_);
    const int64_t count = block.num_atoms * width_;
    for_each(block.cuda, count,
             ScaledSum<T>{width_, scale_, sums, added_.data(), block.type, values.give<T>(gives_)});
    if (!gradient) return {};
    return [this, count, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_, [&](T* to) {
        for_each(block.cuda, count, Copy<T, T, false>{upper, to, scale_});
      });
    };
  }

 private:
  ScaledSumStage(const StageReader& reader, const ScaledSumConstants<T>& constants)
      : width_(constants.width),
        scale_(constants.scale),
        takes_(reader.takes()),
        gives_(reader.gives({width_, false, kPrecision<T>})) {
    if (constants.added.size() > 0) added_ = Constant<T>(constants.added);
  }

  int64_t width_;
  T scale_;
  Constant<T> added_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<ScaledSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf::device
