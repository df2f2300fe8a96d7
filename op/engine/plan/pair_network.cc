// Values of the pairs: embedding nets that are evaluated for each, maybe with gates.
#include <algorithm>

#include "core/nets/unit_rows.h"
#include "engine/plan/gate.h"
#include "engine/plan/pair_nets.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class PairNetworkStage final : public Stage {
 public:
  explicit PairNetworkStage(const StageReader& reader)
      : nets_(reader),
        takes_(reader.takes()),
        columns_(reader.type_of(takes_).width),
        gates_(reader, columns_, nets_.width()),
        shares_(reader, columns_),
        curve_(reader.curve(nets_.number())) {
    if (!reader.type_of(takes_).of_pairs) throw Error("nets of pairs must take rows of pairs");
    gives_ = reader.gives({nets_.width(), true, kPrecision<T>, reader.set()});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t width = nets_.width(), size = block.num_pairs * width;
    const T* rows = values.take<T>(takes_);
    const double* exact = values.take<double>(takes_);
    const double* shares = shares_.of(block, exact, values);
    const double* rises = shares_.slopes(block, exact, values);
    T* out = values.give<T>(gives_);
    T* slopes = values.keep<T>(gradient ? size : 0);
    std::fill_n(out, size, T(0));
    if (gradient) std::fill_n(slopes, size, T(0));
    const PairBlocks blocks{block.num_atoms, block.num_types, block.type, block.neighbor_count,
                            curve_.data()};
    nets_.over_pairs(blocks, rows, columns_, [&](int64_t pair, int64_t of, T* value, T* slope) {
      gates_.apply(of, pair, shares, rises, value, slope);
      std::copy_n(value, width, out + pair * width);
      if (gradient) std::copy_n(slope, width, slopes + pair * width);
    });
    if (!gradient) return {};
    return [this, width, slopes, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      values.add_gradient<T>(takes_, [&](T* to) {
        std::fill_n(to, block.num_pairs * columns_, T(0));
        for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
          to[pair * columns_] = dot(width, upper + pair * width, slopes + pair * width);
        }
      });
    };
  }

 private:
  PairNets<T> nets_;
  int takes_;
  int64_t columns_;  // of rows
  TypeGates<T> gates_;
  PairShares shares_;
  Aligned<int32_t> curve_;
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_pair_network(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<PairNetworkStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
