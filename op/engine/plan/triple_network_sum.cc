// The sums of triple_sum.cc with the nets themselves, evaluated for every triple.
#include <algorithm>

#include "core/nets/unit_rows.h"
#include "engine/plan/stage.h"
#include "engine/plan/triples.h"

namespace deeptf {
namespace {

template <class T>
class TripleNetworkSumStage final : public Stage {
 public:
  explicit TripleNetworkSumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const double* rows = values.take<double>(constants_.triples.takes);
    const Triples triples = find_triples(block, rows, values);
    T* x = values.keep<T>(triples.number);
    for (int64_t k = 0; k < triples.number; ++k) x[k] = static_cast<T>(triples.products[k]);
    const PairBlocks blocks = blocks_of(block, triples, values);
    const int32_t* centre = centres_of(block, triples, values);
    const int64_t width = constants_.nets.width();
    T* sums = values.give<T>(constants_.gives);
    std::fill_n(sums, block.num_atoms * width, T(0));
    constants_.nets.over_pairs(blocks, x, 1,
                               [&](int64_t triple, int64_t of, const T* value, const T*) {
                                 const T weight = share(of, blocks) * x[triple];
                                 T* to = sums + centre[triple] * width;
#pragma omp simd
                                 for (int64_t m = 0; m < width; ++m) to[m] += weight * value[m];
                               });
    if (!gradient) return {};
    return [this, width, rows, triples, x, blocks, centre, &block, &values] {
      const T* above = values.gradient<T>(constants_.gives);
      double* upper = values.keep<double>(triples.number);
      constants_.nets.over_pairs(
          blocks, x, 1, [&](int64_t triple, int64_t of, const T* value, const T* slope) {
            const T* from = above + centre[triple] * width;
            const T along = dot(width, from, value) + x[triple] * dot(width, from, slope);
            upper[triple] = static_cast<double>(share(of, blocks) * along);
          });
      pull_products(block, triples, rows, upper, constants_.triples.takes, values);
    };
  }

 private:
  // Blocks of triples stand for types; they are the same whatever the type of the centre.
  PairBlocks blocks_of(const AtomBlock& block, const Triples& triples, Values& values) const {
    int32_t* type = values.keep<int32_t>(block.num_atoms);
    std::fill_n(type, block.num_atoms, 0);
    const TripleConstants& of = constants_.triples;
    return {block.num_atoms, of.blocks, type, triples.count, of.curve.data()};
  }

  const int32_t* centres_of(const AtomBlock& block, const Triples& triples, Values& values) const {
    const int64_t blocks = constants_.triples.blocks;
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
    return static_cast<T>(constants_.shares[block / blocks.num_types]);
  }

  TripleNetworkSumConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_triple_network_sum(const StageReader& reader) {
  return make_in<Stage, TripleNetworkSumStage>(reader.precision(), reader);
}

}  // namespace deeptf
