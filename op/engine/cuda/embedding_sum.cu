// Sums over the neighbours with nets as tables, maybe with gates; core/curve/sum.h and gated_sum.h
// have the equations.
#include "core/cuda/embedding_sum.h"
#include "core/cuda/gated_sum.h"
#include "engine/cuda/gate.h"
#include "engine/cuda/stage.h"
#include "engine/cuda/table.h"
#include "engine/plan/neighbor_sum_constants.h"

namespace deeptf::device {
namespace {

// Adds to the gradients of the first numbers of rows those that come by the shares.
struct AddShares {
  const double *grad, *slope;
  double* rows_grad;

  DEEPTF_HD void operator()(int64_t pair) const { rows_grad[4 * pair] += grad[pair] * slope[pair]; }
};

template <class T>
class EmbeddingSumStage final : public Stage {
 public:
  explicit EmbeddingSumStage(const StageReader& reader)
      : EmbeddingSumStage(EmbeddingSumConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const PlacedPairs pairs = placed(block);
    const double* rows = values.take<double>(takes_);
    const int64_t blocks = types_ * types_;
    const OutsidePairs outside{values.keep<int32_t>(blocks), values.keep<int32_t>(blocks)};
    T* sums = values.give<T>(gives_);
    Shares shares{};
    if (gated_) {
      shares = shares_.of(block, rows, values, gradient);
      gated_sum<T>(pairs, table_.get(), gates(shares), block.cuda, rows, sums, outside);
    } else {
      embedding_sum<T>(pairs, table_.get(), block.cuda, rows, sums, outside);
    }
    note_outside(block, types_, outside);
    if (!gradient) return {};
    return [this, pairs, rows, shares, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<double>(takes_, [&](double* out) {
        if (gated_) {
          pull_gated(block, pairs, shares, rows, upper, out, values);
        } else {
          embedding_sum_grad<T>(pairs, table_.get(), block.cuda, rows, upper, out);
        }
      });
    };
  }

 private:
  explicit EmbeddingSumStage(const EmbeddingSumConstants<T>& host)
      : takes_(host.sum.takes),
        gives_(host.sum.gives),
        types_(host.sum.types),
        columns_(host.sum.columns),
        gated_(host.sum.gates.given()),
        table_(host.table),
        curve_(host.sum.curve),
        sel_(host.sum.sel),
        empty_(host.sum.empty),
        gate_(host.sum.gates.gate),
        shares_(host.sum.gates.shares) {}

  PlacedPairs placed(const Block& block) const {
    const CurvePairs pairs{block.num_atoms, block.num_pairs,  types_,
                           columns_,        block.atom_count, block.neighbor_count,
                           curve_.data(),   sel_.data(),      empty_.data()};
    return {pairs, block.first, block.type};
  }

  Gates<T> gates(const Shares& shares) const { return {gate_.data(), shares.share}; }

  void pull_gated(const Block& block, const PlacedPairs& pairs, const Shares& shares,
                  const double* rows, const T* upper, double* out, const Values& values) const {
    double* grad = shares.share != nullptr ? values.keep<double>(block.num_pairs) : nullptr;
    gated_sum_grad<T>(pairs, table_.get(), gates(shares), block.cuda, rows, upper, out, grad);
    if (grad == nullptr) return;
    for_each(block.cuda, block.num_pairs, AddShares{grad, shares.slope, out});
  }

  int takes_, gives_;
  int64_t types_, columns_;
  bool gated_;
  Table<T> table_;
  Constant<int32_t> curve_;
  Constant<double> sel_, empty_;
  Constant<T> gate_;
  PairShares shares_;
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return make_in<Stage, EmbeddingSumStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
