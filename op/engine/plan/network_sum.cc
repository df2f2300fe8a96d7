// The sums of embedding_sum.cc with the nets themselves, evaluated for every pair.
#include <algorithm>

#include "engine/plan/gate.h"
#include "engine/plan/neighbor_sum_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

template <class T>
class NetworkSumStage final : public Stage {
 public:
  explicit NetworkSumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t columns = constants_.sum.columns, size = columns * constants_.nets.width();
    const T* rows = values.take<T>(constants_.sum.takes);
    const double* exact = values.take<double>(constants_.sum.takes);
    const double* shares = shares_of(constants_.sum.gates.shares, block, exact, values);
    T* sums = values.give<T>(constants_.sum.gives);
    std::fill_n(sums, block.num_atoms * size, T(0));
    add_empty(block, sums);
    const PairBlocks blocks = blocks_of(block);
    constants_.nets.over_pairs(
        blocks, rows, columns, [&](int64_t pair, int64_t of, T* value, T* slope) {
          apply_gate(constants_.sum.gates, of, pair, shares, nullptr, value, slope);
          add_pair(rows + pair * columns, value, sums + block.centre[pair] * size);
        });
    if (!gradient) return {};
    return [this, columns, size, rows, exact, shares, blocks, &block, &values] {
      const T* upper = values.gradient<T>(constants_.sum.gives);
      const double* slopes = slopes_of_shares(constants_.sum.gates.shares, block, exact, values);
      values.add_gradient<T>(constants_.sum.takes, [&](T* out) {
        std::fill_n(out, block.num_pairs * columns, T(0));
        constants_.nets.over_pairs(
            blocks, rows, columns, [&](int64_t pair, int64_t of, T* value, T* slope) {
              apply_gate(constants_.sum.gates, of, pair, shares, slopes, value, slope);
              pull_pair(rows + pair * columns, value, slope, upper + block.centre[pair] * size,
                        out + pair * columns);
            });
      });
    };
  }

 private:
  PairBlocks blocks_of(const AtomBlock& block) const {
    return {block.num_atoms, constants_.sum.types, block.type, block.neighbor_count,
            constants_.sum.curve.data()};
  }

  void add_empty(const AtomBlock& block, T* sums) const {
    const int64_t types = constants_.sum.types, width = constants_.nets.width();
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      T* to = sums + atom * constants_.sum.columns * width;
      for (int64_t t = 0; t < types; ++t) {
        const int64_t of = t * types + block.type[atom];
        if (constants_.sum.curve[of] < 0) continue;
        double weight = constants_.sum.sel[t] - block.neighbor_count[atom * types + t];
        if (constants_.sum.columns == 4) weight *= constants_.sum.empty[of];
        for (int64_t m = 0; m < width; ++m) {
          to[m] += static_cast<T>(weight) * constants_.alone[of * width + m];
        }
      }
    }
  }

  void add_pair(const T* row, const T* value, T* sum) const {
    const int64_t width = constants_.nets.width();
    for (int64_t w = 0; w < constants_.sum.columns; ++w, sum += width) {
      const T weight = constants_.sum.columns == 4 ? row[w] : T(1);
      for (int64_t m = 0; m < width; ++m) sum[m] += weight * value[m];
    }
  }

  void pull_pair(const T* row, const T* value, const T* slope, const T* upper, T* out) const {
    const int64_t width = constants_.nets.width();
    T along = 0;
    for (int64_t w = 0; w < constants_.sum.columns; ++w, upper += width) {
      T of_value = 0, of_slope = 0;
#pragma omp simd reduction(+ : of_value, of_slope)
      for (int64_t m = 0; m < width; ++m) {
        of_value += value[m] * upper[m];
        of_slope += slope[m] * upper[m];
      }
      if (constants_.sum.columns == 4) out[w] += of_value;
      along += (constants_.sum.columns == 4 ? row[w] : T(1)) * of_slope;
    }
    out[0] += along;
  }

  NetworkSumConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_network_sum(const StageReader& reader) {
  return make_in<Stage, NetworkSumStage>(reader.precision(), reader);
}

}  // namespace deeptf
