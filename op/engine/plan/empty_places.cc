// What places without a neighbour add to the sums over neighbours, where such places have no type:
// sums[:, 0] + (places_c - sum_t counted[t, c] n_t) value_c.
#include <algorithm>

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class EmptyPlacesStage final : public Stage {
 public:
  explicit EmptyPlacesStage(const StageReader& reader) : takes_(reader.takes()) {
    const ValueType& taken = reader.type_of(takes_);
    if (taken.of_pairs) throw Error("empty places must be added to sums of atoms");
    const int64_t types = reader.inputs.num_types;
    places_ = reader.constant<T>("places", {types});
    counted_ = reader.constant<T>("counted", {types, types});
    value_ = reader.constant<T>("value", {types, -1});
    width_ = taken.width;
    if (value_.shape[1] < 1 || value_.shape[1] > width_) {
      throw Error("`value` of a stage must have rows of at most " + std::to_string(width_) +
                  " numbers, got " + std::to_string(value_.shape[1]));
    }
    gives_ = reader.gives({width_, false, kPrecision<T>});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(takes_);
    T* out = values.give<T>(gives_);
    std::copy_n(sums, block.num_atoms * width_, out);
    const int64_t types = block.num_types, number = value_.shape[1];
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      const int64_t c = block.type[atom];
      T absent = places_[c];
      for (int64_t t = 0; t < types; ++t) {
        absent -= counted_[t * types + c] * static_cast<T>(block.neighbor_count[atom * types + t]);
      }
      T* to = out + atom * width_;
      for (int64_t m = 0; m < number; ++m) to[m] += absent * value_[c * number + m];
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_,
                             [&](T* to) { std::copy_n(upper, block.num_atoms * width_, to); });
    };
  }

 private:
  int takes_, gives_;
  int64_t width_;
  Aligned<T> places_, counted_, value_;
};

}  // namespace

std::unique_ptr<Stage> make_empty_places(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmptyPlacesStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
