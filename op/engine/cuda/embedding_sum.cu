// Sums over the neighbours with nets as tables, maybe with gates; core/curve/sum.h and gated_sum.h
// have the equations.
#include "core/cuda/embedding_sum.h"
#include "core/cuda/gated_sum.h"
#include "engine/cuda/gate.h"
#include "engine/cuda/stage.h"
#include "engine/cuda/table.h"
#include "engine/plan/neighbor_sum_layout.h"

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
      : EmbeddingSumStage(reader, TableConstants<T>(reader)) {}

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
  EmbeddingSumStage(const StageReader& reader, const TableConstants<T>& table)
      : EmbeddingSumStage(reader, table, SumLayout(reader, table.num_curves())) {}
  EmbeddingSumStage(const StageReader& reader, const TableConstants<T>& table,
                    const SumLayout& layout)
      : EmbeddingSumStage(reader, table, layout,
                          read_gate<T>(reader, layout.columns, table.width)) {}
  EmbeddingSumStage(const StageReader& reader, const TableConstants<T>& table,
                    const SumLayout& layout, const Aligned<T>& gate)
      : types_(layout.types),
        columns_(layout.columns),
        gated_(gate.size() > 0),
        table_(table),
        curve_(layout.curve),
        sel_(layout.sel),
        empty_(layout.empty),
        gate_(gate),
        shares_(ShareConstants(reader, layout.columns)),
        takes_(reader.takes()),
        gives_(reader.gives({layout.columns * table.width, false, kPrecision<T>})) {}

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

  int64_t types_, columns_;
  bool gated_;
  Table<T> table_;
  Constant<int32_t> curve_;
  Constant<double> sel_, empty_;
  Constant<T> gate_;
  PairShares shares_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmbeddingSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf::device
