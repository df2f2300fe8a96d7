// Sums over the neighbours of each centre of what layers of attention make of the values of its
// pairs.
#include "core/cuda/neighbor_sum.h"
#include "engine/cuda/attention_layer.h"
#include "engine/cuda/by_centre.h"
#include "engine/cuda/gate.h"
#include "engine/cuda/stage.h"

namespace deeptf::device {
namespace {

constexpr int64_t kColumns = AttentionSettings::kColumns;

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
      : AttentionSumStage(AttentionConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const ByCentre order = by_centre(placed_pairs(block, curve_.data()), block.cuda);
    const Shares shares = shares_.of(block, values.take<double>(settings_.rows), values, gradient);
    T* rows = gathered(block, order, kColumns, values.take<T>(settings_.rows), values);
    T* value = gathered(block, order, settings_.width, values.take<T>(settings_.value), values);
    const AttendingPairs<T> pairs = attending(block, order, rows, shares, values);
    KeptLayers<T> kept = attend(settings_, layers_, pairs, gradient, value, values);
    const Runs runs = order.runs(kColumns, settings_.width);
    neighbor_sum<T>(runs, block.cuda, rows, value, values.give<T>(settings_.gives));
    if (!gradient) return {};
    return
        [this, order, rows, value, pairs, runs, shares, kept = std::move(kept), &block, &values] {
          const T* upper = values.gradient<T>(settings_.gives);
          T* value_grad = values.keep<T>(order.num_pairs * settings_.width);
          T* rows_grad = values.keep<T>(order.num_pairs * kColumns);
          neighbor_sum_value_grad<T>(runs, block.cuda, rows, upper, value_grad);
          neighbor_sum_weight_grad<T>(runs, block.cuda, value, upper, rows_grad);
          T* share_grad =
              pull_attention(settings_, layers_, pairs, kept, value_grad, values,
                             [&](const AttentionGrads<T>& grad, T* share_grad) {
                               for_each(block.cuda, order.num_pairs,
                                        AddSmall<T>{grad, settings_.dotr, rows_grad, share_grad});
                             });
          if (shares.slope != nullptr) {
            for_each(block.cuda, order.num_pairs,
                     AddShareGrad<T>{order, shares.slope, share_grad, rows_grad});
          }
          scatter(block, order, settings_.width, settings_.value, value_grad, values);
          scatter(block, order, kColumns, settings_.rows, rows_grad, values);
        };
  }

 private:
  explicit AttentionSumStage(const AttentionConstants<T>& host)
      : settings_(host),
        curve_(host.curve),
        shares_(host.shares),
        layers_(host.layers.begin(), host.layers.end()) {}

  AttendingPairs<T> attending(const Block& block, const ByCentre& order, const T* rows,
                              const Shares& shares, const Values& values) const {
    T* direction = values.keep<T>(order.num_pairs * 3);
    T* gate = values.keep<T>(order.num_pairs);
    for_each(block.cuda, order.num_pairs,
             SetDirections<T>{order, rows, shares.share, direction, gate});
    return {block, settings_.shape(order.runs(3, 0), shares_.fade()), direction, gate};
  }

  AttentionSettings settings_;
  Constant<int32_t> curve_;
  PairShares shares_;
  std::vector<AttendingLayer<T>> layers_;
};

}  // namespace

std::unique_ptr<Stage> make_attention_sum(const StageReader& reader) {
  return make_in<Stage, AttentionSumStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
