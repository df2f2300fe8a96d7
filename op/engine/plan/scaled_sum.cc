// A descriptor that is a sum over neighbours by itself (se_e2_r): D = (sums[:, 0] + added_c) /
// divisor.
#include <algorithm>

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class ScaledSumStage final : public Stage {
 public:
  explicit ScaledSumStage(const StageReader& reader) : takes_(reader.takes()) {
    const ValueType& taken = reader.type_of(takes_);
    if (taken.of_pairs) throw Error("a scaled sum must take sums of atoms");
    width_ = taken.width;
    const double divisor = reader.number("divisor");
    if (!(divisor > 0)) throw Error("`divisor` of a stage must be positive");
    scale_ = static_cast<T>(1 / divisor);
    const Json* added = reader.fields.find("added");
    if (added != nullptr && !added->is_null()) {
      added_ = reader.constant<T>("added", {reader.inputs.num_types, width_});
    }
    gives_ = reader.gives({width_, false, kPrecision<T>});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(takes_);
    T* out = values.give<T>(gives_);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom, sums += width_, out += width_) {
      const T* added = added_.size() > 0 ? added_.data() + block.type[atom] * width_ : nullptr;
      for (int64_t m = 0; m < width_; ++m) {
        out[m] = (sums[m] + (added != nullptr ? added[m] : T(0))) * scale_;
      }
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_, [&](T* to) {
        for (int64_t k = 0; k < block.num_atoms * width_; ++k) to[k] = upper[k] * scale_;
      });
    };
  }

 private:
  int takes_, gives_;
  int64_t width_;
  T scale_;
  Aligned<T> added_;
};

}  // namespace

std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<ScaledSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
