// The sums of embedding_sum.cc with the nets themselves, evaluated for every pair.
#include <algorithm>

#include "engine/plan/gate.h"
#include "engine/plan/neighbor_sum_layout.h"
#include "engine/plan/pair_nets.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class NetworkSumStage final : public Stage {
 public:
  explicit NetworkSumStage(const StageReader& reader)
      : nets_(reader),
        layout_(reader, nets_.number()),
        gates_(reader, layout_.columns, nets_.width()),
        shares_(reader, layout_.columns),
        alone_(values_of_empty(nets_, layout_)),
        takes_(reader.takes()),
        gives_(reader.gives({layout_.columns * nets_.width(), false, kPrecision<T>})) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t columns = layout_.columns, size = columns * nets_.width();
    const T* rows = values.take<T>(takes_);
    const double* exact = values.take<double>(takes_);
    const double* shares = shares_.of(block, exact, values);
    T* sums = values.give<T>(gives_);
    std::fill_n(sums, block.num_atoms * size, T(0));
    add_empty(block, sums);
    const PairBlocks blocks = blocks_of(block);
    nets_.over_pairs(blocks, rows, columns, [&](int64_t pair, int64_t of, T* value, T* slope) {
      gates_.apply(of, pair, shares, nullptr, value, slope);
      add_pair(rows + pair * columns, value, sums + block.centre[pair] * size);
    });
    if (!gradient) return {};
    return [this, columns, size, rows, exact, shares, blocks, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      const double* slopes = shares_.slopes(block, exact, values);
      values.add_gradient<T>(takes_, [&](T* out) {
        std::fill_n(out, block.num_pairs * columns, T(0));
        nets_.over_pairs(blocks, rows, columns, [&](int64_t pair, int64_t of, T* value, T* slope) {
          gates_.apply(of, pair, shares, slopes, value, slope);
          pull_pair(rows + pair * columns, value, slope, upper + block.centre[pair] * size,
                    out + pair * columns);
        });
      });
    };
  }

 private:
  PairBlocks blocks_of(const AtomBlock& block) const {
    return {block.num_atoms, layout_.types, block.type, block.neighbor_count, layout_.curve.data()};
  }

  void add_empty(const AtomBlock& block, T* sums) const {
    const int64_t types = layout_.types, width = nets_.width();
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      T* to = sums + atom * layout_.columns * width;
      for (int64_t t = 0; t < types; ++t) {
        const int64_t of = t * types + block.type[atom];
        if (layout_.curve[of] < 0) continue;
        double weight = layout_.sel[t] - block.neighbor_count[atom * types + t];
        if (layout_.columns == 4) weight *= layout_.empty[of];
        for (int64_t m = 0; m < width; ++m) {
          to[m] += static_cast<T>(weight) * alone_[of * width + m];
        }
      }
    }
  }

  void add_pair(const T* row, const T* value, T* sum) const {
    const int64_t width = nets_.width();
    for (int64_t w = 0; w < layout_.columns; ++w, sum += width) {
      const T weight = layout_.columns == 4 ? row[w] : T(1);
      for (int64_t m = 0; m < width; ++m) sum[m] += weight * value[m];
    }
  }

  void pull_pair(const T* row, const T* value, const T* slope, const T* upper, T* out) const {
    const int64_t width = nets_.width();
    T along = 0;
    for (int64_t w = 0; w < layout_.columns; ++w, upper += width) {
      T of_value = 0, of_slope = 0;
#pragma omp simd reduction(+ : of_value, of_slope)
      for (int64_t m = 0; m < width; ++m) {
        of_value += value[m] * upper[m];
        of_slope += slope[m] * upper[m];
      }
      if (layout_.columns == 4) out[w] += of_value;
      along += (layout_.columns == 4 ? row[w] : T(1)) * of_slope;
    }
    out[0] += along;
  }

  PairNets<T> nets_;
  SumLayout layout_;
  TypeGates<T> gates_;
  PairShares shares_;
  Aligned<T> alone_;  // [T, T, M] neighbour type first
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_network_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<NetworkSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
