// The descriptor of DeepPot-SE; core/moments/moment_product.h has the equations.
#include "core/moments/moment_product.h"

#include "engine/plan/stage.h"
#include "engine/plan/sum_constants.h"

namespace deeptf {
namespace {

template <class T>
class MomentProductStage final : public Stage {
 public:
  explicit MomentProductStage(const StageReader& reader)
      : constants_(reader), scale_(static_cast<T>(constants_.scale)) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const MomentShape shape{block.num_atoms, 4, constants_.width, constants_.axis};
    const int64_t count = block.num_atoms * 4 * constants_.width;
    const T* sums = values.take<T>(constants_.takes);
    T* moments = values.keep<T>(count);
    for (int64_t k = 0; k < count; ++k) moments[k] = scale_ * sums[k];
    moment_product<T>(shape, block.context, moments, values.give<T>(constants_.gives));
    if (!gradient) return {};
    return [this, shape, count, moments, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes, [&](T* out) {
        moment_product_grad<T>(shape, block.context, moments, upper, out);
        for (int64_t k = 0; k < count; ++k) out[k] *= scale_;
      });
    };
  }

 private:
  MomentConstants constants_;
  T scale_;
};

}  // namespace

std::unique_ptr<Stage> make_moment_product(const StageReader& reader) {
  return make_in<Stage, MomentProductStage>(reader.precision(), reader);
}

}  // namespace deeptf
