// Values of the pairs: embedding nets that are evaluated for each, maybe with gates.
#include "engine/cuda/gate_values.h"
#include "engine/cuda/pair_pulls.h"
#include "engine/cuda/stage.h"
#include "engine/plan/pair_network_constants.h"

namespace deeptf::device {
namespace {

template <class T>
class PairNetworkStage final : public Stage {
 public:
  explicit PairNetworkStage(const StageReader& reader)
      : PairNetworkStage(PairNetworkConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t width = nets_.width(), pairs = block.num_pairs;
    const NetValues<T> found = nets_.evaluate(block, takes_, curve_.data(), values);
    for_each(block.cuda, pairs * width, Copy<T, T, false>{found.value, values.give<T>(gives_)});
    if (!gradient) return {};
    return [this, width, pairs, found, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_, [&](T* to) {
        pull_pairs(block.cuda, PairPull<T, T>{pairs, nullptr, width, columns_, upper, found.slope,
                                              nullptr, nullptr, to});
      });
    };
  }

 private:
  explicit PairNetworkStage(const PairNetworkConstants<T>& host)
      : takes_(host.takes),
        gives_(host.gives),
        columns_(host.columns),
        nets_(host.nets, columns_, host.gates),
        curve_(host.curve) {}

  int takes_, gives_;
  int64_t columns_;  // of rows
  GatedNets<T> nets_;
  Constant<int32_t> curve_;
};

}  // namespace

std::unique_ptr<Stage> make_pair_network(const StageReader& reader) {
  return make_in<Stage, PairNetworkStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
