// The sums of triple_sum.cc with the nets themselves, evaluated for every triple.
#include <algorithm>
#include <vector>

#include "core/nets/unit_rows.h"
#include "engine/plan/pair_nets.h"
#include "engine/plan/stages.h"
#include "engine/plan/triples.h"

namespace deeptf {
namespace {

template <class T>
class TripleNetworkSumStage final : public Stage {
 public:
  explicit TripleNetworkSumStage(const StageReader& reader)
      : types_(reader.inputs.num_types),
        nets_(reader),
        takes_(rows_of_triples(reader)),
        curve_(nets_of_triples(nets_.number(), types_)),
        shares_(reader.constant<double>("shares", {blocks_of_triples(types_)})),
        gives_(reader.gives({nets_.width(), false, kPrecision<T>})) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const double* rows = values.take<double>(takes_);
    const Triples triples = find_triples(block, rows, values);
    T* x = values.keep<T>(triples.number);
    for (int64_t k = 0; k < triples.number; ++k) x[k] = static_cast<T>(triples.products[k]);
    const PairBlocks blocks = blocks_of(block, triples, values);
    const int32_t* centre = centres_of(block, triples, values);
    const int64_t width = nets_.width();
    T* sums = values.give<T>(gives_);
    std::fill_n(sums, block.num_atoms * width, T(0));
    nets_.over_pairs(blocks, x, 1, [&](int64_t triple, int64_t of, const T* value, const T*) {
      const T weight = share(of, blocks) * x[triple];
      T* to = sums + centre[triple] * width;
#pragma omp simd
      for (int64_t m = 0; m < width; ++m) to[m] += weight * value[m];
    });
    if (!gradient) return {};
    return [this, width, rows, triples, x, blocks, centre, &block, &values] {
      const T* above = values.gradient<T>(gives_);
      double* upper = values.keep<double>(triples.number);
      nets_.over_pairs(
          blocks, x, 1, [&](int64_t triple, int64_t of, const T* value, const T* slope) {
            const T* from = above + centre[triple] * width;
            const T along = dot(width, from, value) + x[triple] * dot(width, from, slope);
            upper[triple] = static_cast<double>(share(of, blocks) * along);
          });
      pull_products(block, triples, rows, upper, takes_, values);
    };
  }

 private:
  // Blocks of triples stand for types; they are the same whatever the type of the centre.
  PairBlocks blocks_of(const AtomBlock& block, const Triples& triples, Values& values) const {
    int32_t* type = values.keep<int32_t>(block.num_atoms);
    std::fill_n(type, block.num_atoms, 0);
    return {block.num_atoms, blocks_of_triples(types_), type, triples.count, curve_.data()};
  }

  const int32_t* centres_of(const AtomBlock& block, const Triples& triples, Values& values) const {
    const int64_t blocks = blocks_of_triples(types_);
    int32_t* centre = values.keep<int32_t>(triples.number);
    int32_t* to = centre;
    for (int64_t of = 0; of < blocks; ++of) {
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        to = std::fill_n(to, triples.count[atom * blocks + of], static_cast<int32_t>(atom));
      }
    }
    return centre;
  }

  T share(int64_t block, const PairBlocks& blocks) const {
    return static_cast<T>(shares_[block / blocks.num_types]);
  }

  int64_t types_;
  PairNets<T> nets_;
  int takes_;
  std::vector<int32_t> curve_;  // [B, B]
  Aligned<double> shares_;      // [B]
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_triple_network_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<TripleNetworkSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
