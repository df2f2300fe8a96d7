// Sums over the neighbours of each centre of what layers of attention make of the values of its
// pairs.
#include "core/cuda/neighbor_sum.h"
#include "engine/cuda/attention_layer.h"
#include "engine/cuda/by_centre.h"
#include "engine/cuda/gate.h"
#include "engine/cuda/stage.h"

namespace deeptf::device {
namespace {

constexpr int64_t kColumns = 4;

// Directions [p, 3] and shares [p] of pairs by centre.
template <class T>
struct SetDirections {
  ByCentre order;
  const T* rows;        // [p, 4] by centre
  const double* share;  // [p] or null
  T *direction, *gate;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t pair = order.pair[k];
    for (int d = 0; d < 3; ++d) direction[3 * k + d] = rows[kColumns * k + 1 + d];
    gate[k] = pair < 0 ? T(0) : share == nullptr ? T(1) : static_cast<T>(share[pair]);
  }
};

// Adds the gradient of directions to the rows, and that of gates to the shares.
template <class T>
struct AddSmall {
  AttentionGrads<T> grad;
  bool dotr;
  T *rows_grad, *share_grad;

  DEEPTF_HD void operator()(int64_t k) const {
    share_grad[k] += grad.gate[k];
    for (int d = 0; dotr && d < 3; ++d) {
      rows_grad[kColumns * k + 1 + d] += grad.direction[3 * k + d];
    }
  }
};

template <class T>
struct AddShareGrad {
  ByCentre order;
  const double* slope;
  const T* share_grad;
  T* rows_grad;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t pair = order.pair[k];
    if (pair >= 0) rows_grad[kColumns * k] += share_grad[k] * static_cast<T>(slope[pair]);
  }
};

template <class T>
class AttentionSumStage final : public Stage {
 public:
  explicit AttentionSumStage(const StageReader& reader)
      : AttentionSumStage(reader, AttentionConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const ByCentre order = by_centre(placed_pairs(block, curve_.data()), block.cuda);
    const Shares shares = shares_.of(block, values.take<double>(rows_), values, gradient);
    T* rows = gathered(block, order, kColumns, values.take<T>(rows_), values);
    T* value = gathered(block, order, width_, values.take<T>(value_), values);
    const AttendingPairs<T> pairs = attending(block, order, rows, shares, values);
    T* taken = values.keep<T>(order.num_pairs * widest_);
    std::vector<KeptLayer<T>> kept;
    for (const AttendingLayer<T>& layer : layers_) {
      if (gradient || kept.empty()) kept.push_back(memory(order.num_pairs, values));
      layer.apply(pairs, kept.back(), taken, value);
    }
    const Runs runs = order.runs(kColumns, width_);
    neighbor_sum<T>(runs, block.cuda, rows, value, values.give<T>(gives_));
    if (!gradient) return {};
    return [this, order, rows, value, pairs, taken, runs, shares, kept = std::move(kept), &block,
            &values] {
      const T* upper = values.gradient<T>(gives_);
      T* value_grad = values.keep<T>(order.num_pairs * width_);
      T* rows_grad = values.keep<T>(order.num_pairs * kColumns);
      neighbor_sum_value_grad<T>(runs, block.cuda, rows, upper, value_grad);
      neighbor_sum_weight_grad<T>(runs, block.cuda, value, upper, rows_grad);
      T* share_grad = pull_layers(pairs, kept, taken, value_grad, rows_grad, values);
      if (shares.slope != nullptr) {
        for_each(block.cuda, order.num_pairs,
                 AddShareGrad<T>{order, shares.slope, share_grad, rows_grad});
      }
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
        shares_(ShareConstants(reader, kColumns)) {
    for (const auto& layer : constants.layers) layers_.emplace_back(layer);
  }

  AttendingPairs<T> attending(const Block& block, const ByCentre& order, const T* rows,
                              const Shares& shares, const Values& values) const {
    T* direction = values.keep<T>(order.num_pairs * 3);
    T* gate = values.keep<T>(order.num_pairs);
    for_each(block.cuda, order.num_pairs,
             SetDirections<T>{order, rows, shares.share, direction, gate});
    return {block, {order.runs(3, 0), places_, shares_.fade(), dotr_, diagonal_}, direction, gate};
  }

  // For any of the layers.
  KeptLayer<T> memory(int64_t pairs, const Values& values) const {
    return {values.keep<T>(pairs * kParts * widest_), values.keep<T>(pairs * width_)};
  }

  // Turns the gradient of the last values into that of the first, and adds that of directions to
  // the rows; returns that of the shares.
  T* pull_layers(const AttendingPairs<T>& pairs, const std::vector<KeptLayer<T>>& kept, T* taken,
                 T* value_grad, T* rows_grad, const Values& values) const {
    const Cuda& cuda = pairs.block.cuda;
    const int64_t number = pairs.shape.runs.num_pairs;
    const AttentionGrads<T> grad{values.keep<T>(number * kParts * widest_),
                                 values.keep<T>(number * 3), values.keep<T>(number)};
    T* share_grad = values.keep<T>(number);
    set_zero(cuda, share_grad, number);
    for (size_t l = layers_.size(); l-- > 0;) {
      layers_[l].pull(pairs, kept[l], taken, grad, value_grad);
      for_each(cuda, number, AddSmall<T>{grad, dotr_, rows_grad, share_grad});
    }
    return share_grad;
  }

  int value_, rows_, gives_;
  int64_t width_, widest_, places_;
  bool dotr_, diagonal_;
  Constant<int32_t> curve_;
  PairShares shares_;
  std::vector<AttendingLayer<T>> layers_;
};

}  // namespace

std::unique_ptr<Stage> make_attention_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<AttentionSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf::device
