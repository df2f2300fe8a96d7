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
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class AttentionSumStage final : public Stage {
  static constexpr int64_t kColumns = AttentionConstants<T>::kColumns;

 public:
  explicit AttentionSumStage(const StageReader& reader)
      : AttentionSumStage(reader, AttentionConstants<T>(reader)) {}

  double atom_bytes() const override {
    const auto layers = static_cast<double>(layers_.size()), values = static_cast<double>(width_);
    const double numbers = (layers + 7) * values  // values with slopes, and gradients
                           + ((layers + 1) * kParts + 1) * static_cast<double>(widest_);
    return static_cast<double>(places_ * sizeof(T)) * numbers;
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const Order order = order_of(block, values);
    const double* exact = values.take<double>(rows_);
    T* rows = gathered(order, kColumns, values.take<T>(rows_), values);
    T* value = gathered(order, width_, values.take<T>(value_), values);
    const AttendingPairs<T> pairs = attending(block, order, rows, exact, values);
    T* taken = values.keep<T>(order.number * widest_);
    std::vector<KeptLayer<T>> kept;
    for (const AttendingLayer<T>& layer : layers_) {
      if (gradient || kept.empty()) kept.push_back(memory(order.number, values));
      layer.apply(pairs, kept.back(), taken, value);
    }
    const Runs runs{block.num_atoms, order.number, kColumns, width_, order.count};
    neighbor_sum<T>(runs, block.context, rows, value, values.give<T>(gives_));
    if (!gradient) return {};
    return [this, order, exact, rows, value, pairs, taken, runs, kept = std::move(kept), &block,
            &values] {
      const T* upper = values.gradient<T>(gives_);
      T* value_grad = values.keep<T>(order.number * width_);
      T* rows_grad = values.keep<T>(order.number * kColumns);
      neighbor_sum_value_grad<T>(runs, block.context, rows, upper, value_grad);
      neighbor_sum_weight_grad<T>(runs, block.context, value, upper, rows_grad);
      T* share_grad = pull_layers(pairs, kept, taken, value_grad, rows_grad, values);
      add_share_grad(block, order, exact, share_grad, rows_grad, values);
      scatter(block, order, width_, value_, value_grad, values);
      scatter(block, order, kColumns, rows_, rows_grad, values);
    };
  }

 private:
  AttentionSumStage(const StageReader& reader, const AttentionConstants<T>& constants)
      : value_(constants.value),
        rows_(constants.rows),
        gives_(reader.gives({kColumns * constants.width, false, kPrecision<T>})),
        width_(constants.width),
        widest_(constants.widest),
        places_(constants.places),
        dotr_(constants.dotr),
        diagonal_(constants.diagonal),
        curve_(constants.curve),
        shares_(reader, kColumns),
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
    const double* shares = shares_.of(block, exact, values);
    for (int64_t k = 0; k < order.number; ++k) {
      std::copy_n(rows + k * kColumns + 1, 3, direction + 3 * k);
      gate[k] = shares == nullptr ? T(1) : static_cast<T>(shares[order.pair[k]]);
    }
    const Runs runs{block.num_atoms, order.number, 3, 0, order.count};
    return {block.context, {runs, places_, shares_.fade(), dotr_, diagonal_}, direction, gate};
  }

  // For any of the layers.
  KeptLayer<T> memory(int64_t pairs, Values& values) const {
    return {values.keep<T>(pairs * kParts * widest_), values.keep<T>(pairs * width_)};
  }

  // Turns the gradient of the last values into that of the first, and adds that of directions to
  // the rows; returns that of the shares.
  T* pull_layers(const AttendingPairs<T>& pairs, const std::vector<KeptLayer<T>>& kept, T* taken,
                 T* value_grad, T* rows_grad, Values& values) const {
    const int64_t number = pairs.shape.runs.num_pairs;
    const AttentionGrads<T> grad{values.keep<T>(number * kParts * widest_),
                                 values.keep<T>(number * 3), values.keep<T>(number)};
    T* share_grad = values.keep<T>(number);
    std::fill_n(share_grad, number, T(0));
    for (size_t l = layers_.size(); l-- > 0;) {
      layers_[l].pull(pairs, kept[l], taken, grad, value_grad);
      for (int64_t k = 0; k < number; ++k) {
        share_grad[k] += grad.gate[k];
        for (int64_t d = 0; dotr_ && d < 3; ++d) {
          rows_grad[kColumns * k + 1 + d] += grad.direction[3 * k + d];
        }
      }
    }
    return share_grad;
  }

  void add_share_grad(const AtomBlock& block, const Order& order, const double* exact,
                      const T* share_grad, T* rows_grad, Values& values) const {
    const double* slopes = shares_.slopes(block, exact, values);
    if (slopes == nullptr) return;
    for (int64_t k = 0; k < order.number; ++k) {
      rows_grad[kColumns * k] += share_grad[k] * static_cast<T>(slopes[order.pair[k]]);
    }
  }

  int value_, rows_, gives_;
  int64_t width_, widest_, places_;
  bool dotr_, diagonal_;
  Aligned<int32_t> curve_;
  PairShares shares_;
  std::vector<AttendingLayer<T>> layers_;
};

}  // namespace

std::unique_ptr<Stage> make_attention_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<AttentionSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
