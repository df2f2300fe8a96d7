// The pairs closer than a cut-off: a set of its own, which later stages take in place of all pairs.
#include <algorithm>

#include "engine/plan/stage.h"
#include "engine/plan/within_constants.h"

namespace deeptf {
namespace {

class WithinStage final : public Stage {
 public:
  explicit WithinStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    AtomBlock& near = values.add_block(block);
    int32_t* count = values.keep<int32_t>(block.num_atoms * block.num_types);
    int32_t* pair_of = values.keep<int32_t>(block.num_pairs);
    int32_t* first = values.keep<int32_t>(block.num_atoms * block.num_types);
    near.num_pairs = find(block, count, first, pair_of);
    near.neighbor_count = count;
    near.first = first;
    int32_t* centre = values.keep<int32_t>(near.num_pairs);
    int32_t* pair = values.keep<int32_t>(near.num_pairs);
    double* displacement = values.give<double>(constants_.gives);
    for (int64_t k = 0; k < near.num_pairs; ++k) {
      centre[k] = block.centre[pair_of[k]];
      pair[k] = static_cast<int32_t>(block.pair_of_caller(pair_of[k]));
      std::copy_n(block.displacement + 3 * int64_t{pair_of[k]}, 3, displacement + 3 * k);
    }
    near.centre = centre;
    near.pair = pair;
    near.displacement = displacement;
    if (!gradient) return {};
    return [this, pair_of, &near, &block, &values] {
      const double* upper = values.gradient<double>(constants_.gives);
      values.add_gradient<double>(constants_.takes, [&](double* out) {
        std::fill_n(out, 3 * block.num_pairs, 0.0);
        for (int64_t k = 0; k < near.num_pairs; ++k) {
          std::copy_n(upper + 3 * k, 3, out + 3 * int64_t{pair_of[k]});
        }
      });
    };
  }

 private:
  // Fills the numbers of near pairs of each atom and neighbour type, where the first of them is,
  // and which of all they are, in their order; returns how many there are.
  int64_t find(const AtomBlock& block, int32_t* count, int32_t* first, int32_t* pair_of) const {
    const int64_t types = block.num_types;
    const double rcut = constants_.rcut;
    int64_t pair = 0, found = 0;
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        const int64_t before = found, end = pair + block.neighbor_count[atom * types + t];
        for (; pair < end; ++pair) {
          const double* d = block.displacement + 3 * pair;
          if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < rcut * rcut) {
            pair_of[found++] = static_cast<int32_t>(pair);
          }
        }
        first[atom * types + t] = static_cast<int32_t>(before);
        count[atom * types + t] = static_cast<int32_t>(found - before);
      }
    }
    return found;
  }

  WithinConstants constants_;
};

}  // namespace

std::unique_ptr<Stage> make_within(const StageReader& reader) {
  return std::make_unique<WithinStage>(reader);
}

}  // namespace deeptf
