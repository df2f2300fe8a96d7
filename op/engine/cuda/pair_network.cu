// Values of the pairs: embedding nets that are evaluated for each, maybe with gates.
#include "engine/cuda/gate_values.h"
#include "engine/cuda/pair_pulls.h"
#include "engine/cuda/stage.h"

namespace deeptf::device {
namespace {

template <class T>
class PairNetworkStage final : public Stage {
 public:
  explicit PairNetworkStage(const StageReader& reader)
      : PairNetworkStage(reader, deeptf::PairNets<T>(reader)) {}

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
  PairNetworkStage(const StageReader& reader, const deeptf::PairNets<T>& nets)
      : takes_(reader.takes()),
        columns_(reader.type_of(takes_).width),
        nets_(reader, nets, columns_),
        curve_(reader.curve(nets.number())) {
    if (!reader.type_of(takes_).of_pairs) throw Error("nets of pairs must take rows of pairs");
    gives_ = reader.gives({nets.width(), true, kPrecision<T>, reader.set()});
  }

  int takes_, gives_;
  int64_t columns_;  // of rows
  GatedNets<T> nets_;
  Constant<int32_t> curve_;
};

}  // namespace

std::unique_ptr<Stage> make_pair_network(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<PairNetworkStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf::device
