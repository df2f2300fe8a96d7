// The sums of embedding_sum.cu with the nets themselves, evaluated for every pair.
#include "core/cuda/neighbor_sum.h"
#include "engine/cuda/gate_values.h"
#include "engine/cuda/pair_pulls.h"
#include "engine/cuda/stage.h"
#include "engine/plan/neighbor_sum_constants.h"

namespace deeptf::device {
namespace {

// Adds what places without a neighbour do, to the first columns of the sums.
template <class T>
struct AddEmpty {
  PlacedPairs pairs;
  int64_t width;
  const double *sel, *empty;
  const T* alone;
  T* sums;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / width, m = k % width, types = pairs.num_types;
    T sum = 0;
    for (int64_t t = 0; t < types; ++t) {
      const int64_t of = t * types + pairs.type[atom];
      if (pairs.curve[of] < 0) continue;
      double weight = sel[t] - pairs.neighbor_count[atom * types + t];
      if (pairs.columns == 4) weight *= empty[of];
      sum += static_cast<T>(weight) * alone[of * width + m];
    }
    sums[atom * pairs.columns * width + m] += sum;
  }
};

template <class T>
class NetworkSumStage final : public Stage {
 public:
  explicit NetworkSumStage(const StageReader& reader)
      : NetworkSumStage(NetworkSumConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t width = nets_.width();
    PlacedPairs pairs = placed_pairs(block, curve_.data());
    pairs.columns = columns_;
    const NetValues<T> found = nets_.evaluate(block, takes_, curve_.data(), values);
    const ByCentre order = by_centre(pairs, block.cuda);
    const Runs runs = order.runs(columns_, width);
    const T* weight = weights(block, order, values);
    const T* value = gathered(block, order, width, found.value, values);
    T* sums = values.give<T>(gives_);
    neighbor_sum<T>(runs, block.cuda, weight, value, sums);
    for_each(block.cuda, block.num_atoms * width,
             AddEmpty<T>{pairs, width, sel_.data(), empty_.data(), alone_.data(), sums});
    if (!gradient) return {};
    return [this, width, found, order, runs, weight, value, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      T* value_grad = values.keep<T>(block.num_pairs * width);
      neighbor_sum_value_grad<T>(runs, block.cuda, weight, upper, value_grad);
      T* weight_grad = nullptr;
      if (columns_ == 4) {
        weight_grad = values.keep<T>(block.num_pairs * columns_);
        neighbor_sum_weight_grad<T>(runs, block.cuda, value, upper, weight_grad);
      }
      values.add_gradient<T>(takes_, [&](T* to) {
        pull_pairs(block.cuda, PairPull<T, T>{order.num_pairs, order.pair, width, columns_,
                                              value_grad, found.slope, weight_grad, nullptr, to});
      });
    };
  }

 private:
  explicit NetworkSumStage(const NetworkSumConstants<T>& host)
      : takes_(host.sum.takes),
        gives_(host.sum.gives),
        columns_(host.sum.columns),
        nets_(host.nets, columns_, host.sum.gates),
        curve_(host.sum.curve),
        sel_(host.sum.sel),
        empty_(host.sum.empty),
        alone_(host.alone) {}

  // Rows by centre, or ones where they have one column.
  const T* weights(const Block& block, const ByCentre& order, Values& values) const {
    if (columns_ == 4) {
      return gathered(block, order, columns_, values.take<T>(takes_), values);
    }
    T* one = values.keep<T>(block.num_pairs);
    for_each(block.cuda, block.num_pairs, Fill<T>{T(1), one});
    return one;
  }

  int takes_, gives_;
  int64_t columns_;
  GatedNets<T> nets_;
  Constant<int32_t> curve_;
  Constant<double> sel_, empty_;
  Constant<T> alone_;  // [T, T, M]
};

}  // namespace

std::unique_ptr<Stage> make_network_sum(const StageReader& reader) {
  return make_in<Stage, NetworkSumStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
