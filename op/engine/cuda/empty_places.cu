// What places without a neighbour add to the sums over neighbours, where such places have no type;
// engine/plan/sum_constants.h has the equation.
#include "engine/cuda/stage.h"
#include "engine/plan/sum_constants.h"

namespace deeptf::device {
namespace {

template <class T>
struct AddPlaces {
  int64_t num_types, width, number;
  const T *sums, *places, *counted, *value;
  const int32_t *type, *neighbor_count;
  T* out;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / width, m = k % width;
    if (m >= number) {
      out[k] = sums[k];
      return;
    }
    const int64_t c = type[atom];
    T absent = places[c];
    for (int64_t t = 0; t < num_types; ++t) {
      absent -= counted[t * num_types + c] * static_cast<T>(neighbor_count[atom * num_types + t]);
    }
    out[k] = sums[k] + absent * value[c * number + m];
  }
};

template <class T>
class EmptyPlacesStage final : public Stage {
 public:
  explicit EmptyPlacesStage(const StageReader& reader)
      : EmptyPlacesStage(reader, EmptyPlacesConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t count = block.num_atoms * width_;
    for_each(block.cuda, count,
             AddPlaces<T>{block.num_types, width_, number_, values.take<T>(takes_), places_.data(),
                          counted_.data(), value_.data(), block.type, block.neighbor_count,
                          values.give<T>(gives_)});
    if (!gradient) return {};
    return [this, count, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(
          takes_, [&](T* to) { for_each(block.cuda, count, Copy<T, T, false>{upper, to}); });
    };
  }

 private:
  EmptyPlacesStage(const StageReader& reader, const EmptyPlacesConstants<T>& constants)
      : width_(constants.width),
        number_(constants.number()),
        places_(constants.places),
        counted_(constants.counted),
        value_(constants.value),
        takes_(reader.takes()),
        gives_(reader.gives({width_, false, kPrecision<T>})) {}

  int64_t width_, number_;
  Constant<T> places_, counted_, value_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_empty_places(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmptyPlacesStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf::device
