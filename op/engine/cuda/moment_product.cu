// The descriptor of DeepPot-SE; core/moments/moment_product.h has the equations.
#include "core/cuda/moment_product.h"
#include "engine/cuda/stage.h"
#include "engine/plan/sum_constants.h"

namespace deeptf::device {
namespace {

template <class T>
class MomentProductStage final : public Stage {
 public:
  explicit MomentProductStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const MomentShape shape{block.num_atoms, 4, constants_.width, constants_.axis};
    const int64_t count = block.num_atoms * 4 * constants_.width;
    const T scale = static_cast<T>(constants_.scale);
    T* moments = values.keep<T>(count);
    for_each(block.cuda, count,
             Copy<T, T, false>{values.take<T>(constants_.takes), moments, scale});
    deeptf::moment_product<T>(shape, block.cuda, moments, values.give<T>(constants_.gives));
    if (!gradient) return {};
    return [this, shape, count, scale, moments, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes, [&](T* out) {
        deeptf::moment_product_grad<T>(shape, block.cuda, moments, upper, out);
        for_each(block.cuda, count, Copy<T, T, false>{out, out, scale});
      });
    };
  }

 private:
  MomentConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_moment_product(const StageReader& reader) {
  return make_in<Stage, MomentProductStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
