// Sums over two neighbours at a time with nets as tables: the sums of embedding_sum.cc over
// triples, whose blocks stand for neighbour types (core/geometry/triples.h).
#include <algorithm>
#include <cmath>

#include "core/curve/sum.h"
#include "engine/plan/stage.h"
#include "engine/plan/triples.h"

namespace deeptf {
namespace {

template <class T>
class TripleSumStage final : public Stage {
 public:
  explicit TripleSumStage(const StageReader& reader) : constants_(reader) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const TripleConstants& of = constants_.triples;
    const int64_t blocks = of.blocks;
    const double* rows = values.take<double>(of.takes);
    const Triples triples = find_triples(block, rows, values);
    int32_t* atom_count = values.keep<int32_t>(blocks);
    std::fill(std::copy_n(block.atom_count, of.types, atom_count), atom_count + blocks, 0);
    const CurvePairs pairs{block.num_atoms, triples.number, blocks,          1,
                           atom_count,      triples.count,  of.curve.data(), of.none.data(),
                           of.none.data()};
    double* products = triples.products;
    double* slope = values.keep<double>(gradient ? triples.number : 0);  // of places on the grid
    if (gradient) std::fill_n(slope, triples.number, 1.0);
    for (int64_t k = 0; k < triples.number && constants_.bent; ++k) {
      if (gradient) slope[k] = 1 / std::sqrt(1 + products[k] * products[k]);
      products[k] = std::asinh(products[k]);
    }
    const CurveTable<T> table = constants_.table.table();
    int32_t* count = values.keep<int32_t>(blocks * blocks);
    int32_t* closest = values.keep<int32_t>(blocks * blocks);
    embedding_sum<T>(pairs, table, block.context, products, values.give<T>(constants_.gives),
                     {count, closest});
    note(block, triples.number, count, closest);
    if (!gradient) return {};
    return [this, triples, pairs, table, rows, slope, &block, &values] {
      double* upper = values.keep<double>(triples.number);
      embedding_sum_grad<T>(pairs, table, block.context, triples.products,
                            values.gradient<T>(constants_.gives), upper);
      for (int64_t k = 0; k < triples.number; ++k) upper[k] *= slope[k];
      pull_products(block, triples, rows, upper, constants_.triples.takes, values);
    };
  }

 private:
  // A pair is beyond the range of the data where its product with itself is: the last triples are
  // the pairs, in the last blocks.
  void note(const AtomBlock& block, int64_t triples, const int32_t* count, int32_t* closest) const {
    const int64_t blocks = constants_.triples.blocks;
    const int64_t first = (blocks - block.num_types) * blocks;
    for (int64_t k = first; k < blocks * blocks; ++k) {
      if (closest[k] >= 0) closest[k] -= static_cast<int32_t>(triples - block.num_pairs);
    }
    note_outside(block, blocks, count + first, closest + first);
  }

  TripleSumConstants<T> constants_;
};

}  // namespace

std::unique_ptr<Stage> make_triple_sum(const StageReader& reader) {
  return make_in<Stage, TripleSumStage>(reader.precision(), reader);
}

}  // namespace deeptf
