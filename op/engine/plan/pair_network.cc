// Values of the pairs: embedding nets that are evaluated for each, maybe with gates.
#include <algorithm>

#include "core/nets/unit_rows.h"
#include "engine/plan/gate.h"
#include "engine/plan/pair_network_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

template <class T>
class PairNetworkStage final : public Stage {
 public:
  explicit PairNetworkStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const PairNets<T>& nets = constants_.nets;
    const GateConstants<T>& gates = constants_.gates;
    const int64_t width = nets.width(), size = block.num_pairs * width;
    const T* rows = values.take<T>(constants_.takes);
    const double* exact = values.take<double>(constants_.takes);
    const double* shares = shares_of(gates.shares, block, exact, values);
    const double* rises = slopes_of_shares(gates.shares, block, exact, values);
    T* out = values.give<T>(constants_.gives);
    T* slopes = values.keep<T>(gradient ? size : 0);
    std::fill_n(out, size, T(0));
    if (gradient) std::fill_n(slopes, size, T(0));
    const PairBlocks blocks{block.num_atoms, block.num_types, block.type, block.neighbor_count,
                            constants_.curve.data()};
    nets.over_pairs(blocks, rows, constants_.columns,
                    [&](int64_t pair, int64_t of, T* value, T* slope) {
                      apply_gate(gates, of, pair, shares, rises, value, slope);
                      std::copy_n(value, width, out + pair * width);
                      if (gradient) std::copy_n(slope, width, slopes + pair * width);
                    });
    if (!gradient) return {};
    return [this, width, slopes, &block, &values] {
      const T* upper = values.gradient<T>(constants_.gives);
      values.add_gradient<T>(constants_.takes, [&](T* to) {
        std::fill_n(to, block.num_pairs * constants_.columns, T(0));
        for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
          to[pair * constants_.columns] = dot(width, upper + pair * width, slopes + pair * width);
        }
      });
    };
  }

 private:
  PairNetworkConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_pair_network(const StageReader& reader) {
  return make_in<Stage, PairNetworkStage>(reader.precision(), reader);
}

}  // namespace deeptf
