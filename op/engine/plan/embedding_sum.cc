// Sums over the neighbours with nets as tables, maybe with gates; core/curve/sum.h and gated_sum.h
// have the equations.
#include "core/curve/gated_sum.h"
#include "engine/plan/gate.h"
#include "engine/plan/neighbor_sum_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

template <class T>
class EmbeddingSumStage final : public Stage {
 public:
  explicit EmbeddingSumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const NeighborSumConstants<T>& sum = constants_.sum;
    const CurvePairs pairs = sum.pairs(block);
    const CurveTable<T> table = constants_.table.table();
    const double* rows = values.take<double>(sum.takes);
    const int64_t types = sum.types;
    int32_t* count = values.keep<int32_t>(types * types);
    int32_t* closest = values.keep<int32_t>(types * types);
    const Gates<T> gates{sum.gates.gate.data(), shares_of(sum.gates.shares, block, rows, values)};
    T* sums = values.give<T>(sum.gives);
    if (sum.gates.given()) {
      gated_sum<T>(pairs, table, gates, block.context, rows, sums, {count, closest});
    } else {
      embedding_sum<T>(pairs, table, block.context, rows, sums, {count, closest});
    }
    note_outside(block, types, count, closest);
    if (!gradient) return {};
    return [&sum, pairs, table, gates, rows, &block, &values] {
      const T* upper = values.gradient<T>(sum.gives);
      const double* slopes = slopes_of_shares(sum.gates.shares, block, rows, values);
      double* share_grad = slopes == nullptr ? nullptr : values.keep<double>(block.num_pairs);
      values.add_gradient<double>(sum.takes, [&](double* out) {
        if (sum.gates.given()) {
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
  EmbeddingSumConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return make_in<Stage, EmbeddingSumStage>(reader.precision(), reader);
}

}  // namespace deeptf
