// What places without a neighbour add to the sums over neighbours, where such places have no type:
// sums[:, 0] + (places_c - sum_t counted[t, c] n_t) value_c.
#include <algorithm>

#include "engine/plan/stage.h"
#include "engine/plan/sum_constants.h"

namespace deeptf {
namespace {

template <class T>
class EmptyPlacesStage final : public Stage {
 public:
  explicit EmptyPlacesStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* sums = values.take<T>(constants_.takes);
    T* out = values.give<T>(constants_.gives);
    const int64_t width = constants_.width;
    std::copy_n(sums, block.num_atoms * width, out);
    const int64_t types = block.num_types, number = constants_.number();
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      const int64_t c = block.type[atom];
      T absent = constants_.places[c];
      for (int64_t t = 0; t < types; ++t) {
        const auto count = static_cast<T>(block.neighbor_count[atom * types + t]);
        absent -= constants_.counted[t * types + c] * count;
      }
      T* to = out + atom * width;
      for (int64_t m = 0; m < number; ++m) to[m] += absent * constants_.value[c * number + m];
    }
    if (!gradient) return {};
    return [this, width, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes,
                             [&](T* to) { std::copy_n(upper, block.num_atoms * width, to); });
    };
  }

 private:
  EmptyPlacesConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_empty_places(const StageReader& reader) {
  return make_in<Stage, EmptyPlacesStage>(reader.precision(), reader);
}

}  // namespace deeptf
