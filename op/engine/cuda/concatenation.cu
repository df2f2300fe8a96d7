// Values of atoms side by side, in the highest precision of them.
#include "engine/cuda/stage.h"
#include "engine/plan/concatenation_constants.h"

namespace deeptf::device {
namespace {

// Rows of `width` numbers between arrays whose rows lie `from_stride` and `to_stride` apart.
template <class T>
struct CopyRows {
  int64_t width, from_stride, to_stride;
  const T* from;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    to[k / width * to_stride + k % width] = from[k / width * from_stride + k % width];
  }
};

template <class T>
class ConcatenationStage final : public Stage {
 public:
  explicit ConcatenationStage(const ConcatenationConstants& constants) : constants_(constants) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    T* to = values.give<T>(constants_.gives);
    for (size_t k = 0; k < constants_.takes.size(); ++k) {
      for_each(block.cuda, block.num_atoms * constants_.widths[k],
               CopyRows<T>{constants_.widths[k], constants_.widths[k], constants_.width,
                           values.take<T>(constants_.takes[k]), to});
      to += constants_.widths[k];
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      for (size_t k = 0; k < constants_.takes.size(); ++k) {
        values.add_gradient<T>(constants_.takes[k], [&](T* out) {
          for_each(block.cuda, block.num_atoms * constants_.widths[k],
                   CopyRows<T>{constants_.widths[k], constants_.width, constants_.widths[k], upper,
                               out});
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

}  // namespace deeptf::device
