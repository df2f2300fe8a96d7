// Sums over the neighbours with nets as tables; core/curve/sum.h has the equations.
#include "core/curve/sum.h"
#include "engine/plan/neighbor_sum_layout.h"
#include "engine/plan/stages.h"
#include "engine/plan/table_constants.h"

namespace deeptf {
namespace {

template <class T>
class EmbeddingSumStage final : public Stage {
 public:
  explicit EmbeddingSumStage(const StageReader& reader)
      : constants_(reader),
        layout_(reader, constants_.num_curves()),
        takes_(reader.takes()),
        gives_(reader.gives({layout_.columns * constants_.width, false, kPrecision<T>})) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const CurvePairs pairs = layout_.pairs(block);
    const CurveTable<T> table = constants_.table();
    const double* rows = values.take<double>(takes_);
    const int64_t types = layout_.types;
    int32_t* count = values.keep<int32_t>(types * types);
    int32_t* closest = values.keep<int32_t>(types * types);
    embedding_sum<T>(pairs, table, block.context, rows, values.give<T>(gives_), {count, closest});
    note_outside(block, types, count, closest);
    if (!gradient) return {};
    return [this, pairs, table, rows, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<double>(takes_, [&](double* out) {
        embedding_sum_grad<T>(pairs, table, block.context, rows, upper, out);
      });
    };
  }

 private:
  TableConstants<T> constants_;
  SumLayout layout_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmbeddingSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
