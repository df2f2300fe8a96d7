// Sums over the neighbours of each centre of what layers of attention make of the values of its
// pairs.
//
// Pairs come by type; here those of a centre lie one behind the other. A pair takes as many numbers
// as three widths of attention and more in each layer, so that blocks have few atoms.
#include <algorithm>
#include <vector>

#include "core/moments/neighbor_sum.h"
#include "engine/plan/attention_layer.h"
#include "engine/plan/gate.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

constexpr int64_t kColumns = AttentionSettings::kColumns;

template <class T>
class AttentionSumStage final : public Stage {
 public:
  explicit AttentionSumStage(const StageReader& reader)
      : AttentionSumStage(AttentionConstants<T>(reader)) {}

  double atom_bytes() const override {
    const auto layers = static_cast<double>(layers_.size()),
               values = static_cast<double>(settings_.width);
    const double numbers = (layers + 7) * values  // values with slopes, and gradients
                           + ((layers + 1) * kParts + 1) * static_cast<double>(settings_.widest);
    return static_cast<double>(settings_.places * sizeof(T)) * numbers;
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const Order order = order_of(block, values);
    const double* exact = values.take<double>(settings_.rows);
    T* rows = gathered(order, kColumns, values.take<T>(settings_.rows), values);
    T* value = gathered(order, settings_.width, values.take<T>(settings_.value), values);
    const AttendingPairs<T> pairs = attending(block, order, rows, exact, values);
    KeptLayers<T> kept = attend(settings_, layers_, pairs, gradient, value, values);
    const Runs runs{block.num_atoms, order.number, kColumns, settings_.width, order.count};
    neighbor_sum<T>(runs, block.context, rows, value, values.give<T>(settings_.gives));
    if (!gradient) return {};
    return [this, order, exact, rows, value, pairs, runs, kept = std::move(kept), &block, &values] {
      const T* upper = values.gradient<T>(settings_.gives);
      T* value_grad = values.keep<T>(order.number * settings_.width);
      T* rows_grad = values.keep<T>(order.number * kColumns);
      neighbor_sum_value_grad<T>(runs, block.context, rows, upper, value_grad);
      neighbor_sum_weight_grad<T>(runs, block.context, value, upper, rows_grad);
      T* share_grad = pull_attention(settings_, layers_, pairs, kept, value_grad, values,
                                     [&](const AttentionGrads<T>& grad, T* share_grad) {
                                       add_small(order, grad, rows_grad, share_grad);
                                     });
      add_share_grad(block, order, exact, share_grad, rows_grad, values);
      scatter(block, order, settings_.width, settings_.value, value_grad, values);
      scatter(block, order, kColumns, settings_.rows, rows_grad, values);
    };
  }

 private:
  explicit AttentionSumStage(const AttentionConstants<T>& constants)
      : settings_(constants),
        curve_(constants.curve),
        shares_(constants.shares),
        layers_(constants.layers.begin(), constants.layers.end()) {}

  // Pairs that count by centre.
  struct Order {
    int64_t number;  // p'
    int32_t* count;  // [n]
    int32_t* pair;   // [p'] which of the sorted ones
  };

  Order order_of(const AtomBlock& block, Values& values) const {
    const int64_t n = block.num_atoms, types = block.num_types;
    Order order{0, values.keep<int32_t>(n), values.keep<int32_t>(block.num_pairs)};
    for (int64_t atom = 0; atom < n; ++atom) {
      const int64_t before = order.number;
      for (int64_t t = 0; t < types; ++t) {
        if (curve_[t * types + block.type[atom]] < 0) continue;
        const int32_t begin = block.first[atom * types + t];
        const int32_t end = begin + block.neighbor_count[atom * types + t];
        for (int32_t k = begin; k < end; ++k) order.pair[order.number++] = k;
      }
      order.count[atom] = static_cast<int32_t>(order.number - before);
    }
    return order;
  }

  static T* gathered(const Order& order, int64_t width, const T* from, Values& values) {
    T* to = values.keep<T>(order.number * width);
    for (int64_t k = 0; k < order.number; ++k) {
      std::copy_n(from + order.pair[k] * width, width, to + k * width);
    }
    return to;
  }

  // Gradients of ordered pairs as those of a value of all pairs.
  static void scatter(const AtomBlock& block, const Order& order, int64_t width, int value,
                      const T* from, Values& values) {
    values.add_gradient<T>(value, [&](T* to) {
      std::fill_n(to, block.num_pairs * width, T(0));
      for (int64_t k = 0; k < order.number; ++k) {
        std::copy_n(from + k * width, width, to + order.pair[k] * width);
      }
    });
  }

  AttendingPairs<T> attending(const AtomBlock& block, const Order& order, const T* rows,
                              const double* exact, Values& values) const {
    T* direction = values.keep<T>(order.number * 3);
    T* gate = values.keep<T>(order.number);
    const double* shares = shares_of(shares_, block, exact, values);
    for (int64_t k = 0; k < order.number; ++k) {
      std::copy_n(rows + k * kColumns + 1, 3, direction + 3 * k);
      gate[k] = shares == nullptr ? T(1) : static_cast<T>(shares[order.pair[k]]);
    }
    const Runs runs{block.num_atoms, order.number, 3, 0, order.count};
    return {block.context, settings_.shape(runs, shares_.fade()), direction, gate};
  }

  // Adds the gradient of directions to the rows, and that of gates to the shares.
  void add_small(const Order& order, const AttentionGrads<T>& grad, T* rows_grad,
                 T* share_grad) const {
    for (int64_t k = 0; k < order.number; ++k) {
      share_grad[k] += grad.gate[k];
      for (int64_t d = 0; settings_.dotr && d < 3; ++d) {
        rows_grad[kColumns * k + 1 + d] += grad.direction[3 * k + d];
      }
    }
  }

  void add_share_grad(const AtomBlock& block, const Order& order, const double* exact,
                      const T* share_grad, T* rows_grad, Values& values) const {
    const double* slopes = slopes_of_shares(shares_, block, exact, values);
    if (slopes == nullptr) return;
    for (int64_t k = 0; k < order.number; ++k) {
      rows_grad[kColumns * k] += share_grad[k] * static_cast<T>(slopes[order.pair[k]]);
    }
  }

  AttentionSettings settings_;
  Aligned<int32_t> curve_;
  ShareConstants shares_;
  std::vector<AttendingLayer<T>> layers_;
};

}  // namespace

std::unique_ptr<Stage> make_attention_sum(const StageReader& reader) {
  return make_in<Stage, AttentionSumStage>(reader.precision(), reader);
}

}  // namespace deeptf
