// The descriptor of DeepPot-SE; core/moments/moment_product.h has the equations.
#include "core/moments/moment_product.h"

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class MomentProductStage final : public Stage {
 public:
  explicit MomentProductStage(const StageReader& reader) : takes_(reader.takes()) {
    const ValueType& taken = reader.type_of(takes_);
    if (taken.of_pairs || taken.width % 4 != 0) {
      throw Error("a product of moments must take sums of four columns");
    }
    width_ = taken.width / 4;
    axis_ = reader.integer("axis", 1, width_);
    scale_ = static_cast<T>(1.0 / static_cast<double>(reader.integer("places", 1, INT32_MAX)));
    gives_ = reader.gives({width_ * axis_, false, kPrecision<T>});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const MomentShape shape{block.num_atoms, 4, width_, axis_};
    const int64_t count = block.num_atoms * 4 * width_;
    const T* sums = values.take<T>(takes_);
    T* moments = values.keep<T>(count);
    for (int64_t k = 0; k < count; ++k) moments[k] = scale_ * sums[k];
    moment_product<T>(shape, block.context, moments, values.give<T>(gives_));
    if (!gradient) return {};
    return [this, shape, count, moments, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_, [&](T* out) {
        moment_product_grad<T>(shape, block.context, moments, upper, out);
        for (int64_t k = 0; k < count; ++k) out[k] *= scale_;
      });
    };
  }

 private:
  int takes_, gives_;
  int64_t width_, axis_;
  T scale_;
};

}  // namespace

std::unique_ptr<Stage> make_moment_product(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<MomentProductStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
