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
      : constants_(reader),
        places_(constants_.places),
        counted_(constants_.counted),
        value_(constants_.value) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t count = block.num_atoms * constants_.width;
    for_each(block.cuda, count,
             AddPlaces<T>{block.num_types, constants_.width, constants_.number(),
                          values.take<T>(constants_.takes), places_.data(), counted_.data(),
                          value_.data(), block.type, block.neighbor_count,
                          values.give<T>(constants_.gives)});
    if (!gradient) return {};
    return [this, count, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes, [&](T* to) {
        for_each(block.cuda, count, Copy<T, T, false>{upper, to});
      });
    };
  }

 private:
  EmptyPlacesConstants<T> constants_;
  Constant<T> places_, counted_, value_;
};

}  // namespace

std::unique_ptr<Stage> make_empty_places(const StageReader& reader) {
  return make_in<Stage, EmptyPlacesStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
