// Values of atoms side by side, in the highest precision of them.
#include <algorithm>

#include "engine/plan/concatenation_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

template <class T>
class ConcatenationStage final : public Stage {
 public:
  explicit ConcatenationStage(const ConcatenationConstants& constants) : constants_(constants) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    T* to = values.give<T>(constants_.gives);
    for (size_t k = 0; k < constants_.takes.size(); ++k) {
      const T* from = values.take<T>(constants_.takes[k]);
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        std::copy_n(from + atom * constants_.widths[k], constants_.widths[k],
                    to + atom * constants_.width);
      }
      to += constants_.widths[k];
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      for (size_t k = 0; k < constants_.takes.size(); ++k) {
        values.add_gradient<T>(constants_.takes[k], [&](T* out) {
          for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
            std::copy_n(upper + atom * constants_.width, constants_.widths[k],
                        out + atom * constants_.widths[k]);
          }
        });
        upper += constants_.widths[k];
      }
    };
  }

 private:
  ConcatenationConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_concatenation(const StageReader& reader) {
  const ConcatenationConstants constants(reader);
  return make_in<Stage, ConcatenationStage>(constants.precision, constants);
}

}  // namespace deeptf
