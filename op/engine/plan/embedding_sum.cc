// Sums over the neighbours with nets as tables, maybe with gates; core/curve/sum.h and gated_sum.h
// have the equations.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/curve/intervals.h"
#include "core/curve/sum.h"
#include "engine/plan/gate.h"
#include "engine/plan/neighbor_sum_layout.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class EmbeddingSumStage final : public Stage {
 public:
  explicit EmbeddingSumStage(const StageReader& reader)
      : width_(reader.integer("width", 1, 1 << 20)),
        segments_(reader.integer("segments", 1, 1 << 20)),
        near_(reader.integer("near", 0, segments_ - 1)),
        node_row_(reader.constant<int32_t>("node_row", {-1})),
        layout_(reader, num_curves()),
        grid_(reader.constant<double>("grid", {num_curves() * segments_, 2})),
        gate_(reader, layout_.columns, width_),
        takes_(reader.takes()),
        gives_(reader.gives({layout_.columns * width_, false, kPrecision<T>})) {
    check_segments(segments());
    read_nodes(reader);
    whole_.resize(node_row_[node_row_.size() - 1] + 1);
    std::iota(whole_.begin(), whole_.end(), 0);
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const CurvePairs pairs = layout_.pairs(block);
    const auto number = static_cast<int64_t>(whole_.size()) - 1;
    const CurveTable<T> table{segments(), width_, number, whole_.data(), nodes_.data()};
    const double* rows = values.take<double>(takes_);
    const int64_t types = layout_.types;
    int32_t* count = values.keep<int32_t>(types * types);
    int32_t* closest = values.keep<int32_t>(types * types);
    const double* shares = gate_.shares(block, rows, values);
    const Gates<T> gates = gate_.gates(shares);
    T* sums = values.give<T>(gives_);
    if (gate_.given()) {
      gated_sum<T>(pairs, table, gates, block.context, rows, sums, {count, closest});
    } else {
      embedding_sum<T>(pairs, table, block.context, rows, sums, {count, closest});
    }
    note_outside(block, count, closest);
    if (!gradient) return {};
    return [this, pairs, table, gates, rows, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      double* share_grad = gate_.fades() ? values.keep<double>(block.num_pairs) : nullptr;
      values.add_gradient<double>(takes_, [&](double* out) {
        if (gate_.given()) {
          gated_sum_grad<T>(pairs, table, gates, block.context, rows, upper, out, share_grad);
          gate_.pull(block, rows, share_grad, out);
        } else {
          embedding_sum_grad<T>(pairs, table, block.context, rows, upper, out);
        }
      });
    };
  }

 private:
  int64_t num_curves() const {
    const int64_t rows = node_row_.size() - 1;
    if (rows < 1 || rows % segments_ != 0) {
      throw Error("`node_row` of a stage must have the rows of " + std::to_string(segments_) +
                  " segments a curve, got " + std::to_string(rows));
    }
    return rows / segments_;
  }

  CurveSegments segments() const {
    return {num_curves(), segments_, near_, node_row_.data(), grid_.data()};
  }

  // Nodes with rows of the width that lanes want, in float32 the intervals between them.
  void read_nodes(const StageReader& reader) {
    const int64_t number = node_row_[node_row_.size() - 1], padded = padded_width<double>(width_);
    const Aligned<double> given = reader.constant<double>("nodes", {number, 2, -1});
    const int64_t row = given.shape[2];
    if (row < width_) {
      throw Error("`nodes` of a stage must have rows of at least " + std::to_string(width_) +
                  " numbers, got " + std::to_string(row));
    }
    Aligned<double> nodes;
    nodes.numbers.assign(number * 2 * padded, 0.0);
    for (int64_t k = 0; k < 2 * number; ++k) {
      std::copy_n(given.data() + k * row, width_, nodes.data() + k * padded);
    }
    if constexpr (kRise<T>) {
      nodes_.numbers.resize(table_groups<T>(number) * kTableRows<T> * padded_width<T>(width_));
      round_intervals(number, width_, Context(), nodes.data(), nodes_.data());
    } else {
      nodes_ = std::move(nodes);
    }
  }

  void note_outside(const AtomBlock& block, const int32_t* count, const int32_t* closest) const {
    for (int64_t t = 0; t < layout_.types; ++t) {
      for (int64_t c = 0; c < layout_.types; ++c) {
        const int64_t from = t * layout_.types + c, to = c * layout_.types + t;
        if (count[from] == 0) continue;
        const double* d = block.displacement + 3 * int64_t{closest[from]};
        const double distance = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        block.outside_count[to] += count[from];
        block.outside_distance[to] = std::min(block.outside_distance[to], distance);
      }
    }
  }

  int64_t width_, segments_, near_;
  Aligned<int32_t> node_row_;
  SumLayout layout_;
  Aligned<double> grid_;
  GateOfTypes<T> gate_;
  int takes_, gives_;
  Aligned<T> nodes_;
  std::vector<int32_t> whole_;  // all nodes are needed
};

}  // namespace

std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<EmbeddingSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
