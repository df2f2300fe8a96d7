// Sums over the neighbours with nets as tables, maybe with gates; core/curve/sum.h and gated_sum.h
// have the equations.
#include "core/curve/sum.h"
#include "engine/plan/gate.h"
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
        gate_(reader, layout_.columns, constants_.width),
        shares_(reader, layout_.columns),
        takes_(reader.takes()),
        gives_(reader.gives({layout_.columns * constants_.width, false, kPrecision<T>})) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const CurvePairs pairs = layout_.pairs(block);
    const CurveTable<T> table = constants_.table();
    const double* rows = values.take<double>(takes_);
    const int64_t types = layout_.types;
    int32_t* count = values.keep<int32_t>(types * types);
    int32_t* closest = values.keep<int32_t>(types * types);
    const Gates<T> gates = gate_.with(shares_.of(block, rows, values));
    T* sums = values.give<T>(gives_);
    if (gate_.given()) {
      gated_sum<T>(pairs, table, gates, block.context, rows, sums, {count, closest});
    } else {
      embedding_sum<T>(pairs, table, block.context, rows, sums, {count, closest});
    }
    note_outside(block, types, count, closest);
    if (!gradient) return {};
    return [this, pairs, table, gates, rows, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      const double* slopes = shares_.slopes(block, rows, values);
      double* share_grad = slopes == nullptr ? nullptr : values.keep<double>(block.num_pairs);
      values.add_gradient<double>(takes_, [&](double* out) {
        if (gate_.given()) {
          gated_sum_grad<T>(pairs, table, gates, block.context, rows, upper, out, share_grad);
          for (int64_t pair = 0; slopes != nullptr && pair < block.num_pairs; ++pair) {
            out[4 * pair] += share_grad[pair] * slopes[pair];
          }
        } else {
          embedding_sum_grad<T>(pairs, table, block.context, rows, upper, out);
        }
      });
    };
  }

 private:
  TableConstants<T> constants_;
  SumLayout layout_;
  TypeGates<T> gate_;
  PairShares shares_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmbeddingSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
