// Sums over two neighbours at a time with nets as tables: the sums of embedding_sum.cc over
// triples, whose blocks stand for neighbour types (core/geometry/triples.h).
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/curve/sum.h"
#include "engine/plan/stages.h"
#include "engine/plan/table_constants.h"
#include "engine/plan/triples.h"

namespace deeptf {
namespace {

template <class T>
class TripleSumStage final : public Stage {
 public:
  explicit TripleSumStage(const StageReader& reader)
      : constants_(reader),
        types_(reader.inputs.num_types),
        bent_(reader.fields.at("bent").boolean()),
        takes_(rows_of_triples(reader)),
        curve_(nets_of_triples(constants_.num_curves(), types_)),
        none_(curve_.size(), 0.0),
        gives_(reader.gives({constants_.width, false, kPrecision<T>})) {}

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t blocks = this->blocks();
    const double* rows = values.take<double>(takes_);
    const Triples triples = find_triples(block, rows, values);
    int32_t* atom_count = values.keep<int32_t>(blocks);
    std::fill(std::copy_n(block.atom_count, types_, atom_count), atom_count + blocks, 0);
    const CurvePairs pairs{block.num_atoms, triples.number, blocks,       1,           atom_count,
                           triples.count,   curve_.data(),  none_.data(), none_.data()};
    double* products = triples.products;
    double* slope = values.keep<double>(gradient ? triples.number : 0);  // of places on the grid
    if (gradient) std::fill_n(slope, triples.number, 1.0);
    for (int64_t k = 0; k < triples.number && bent_; ++k) {
      if (gradient) slope[k] = 1 / std::sqrt(1 + products[k] * products[k]);
      products[k] = std::asinh(products[k]);
    }
    const CurveTable<T> table = constants_.table();
    int32_t* count = values.keep<int32_t>(blocks * blocks);
    int32_t* closest = values.keep<int32_t>(blocks * blocks);
    embedding_sum<T>(pairs, table, block.context, products, values.give<T>(gives_),
                     {count, closest});
    note(block, triples.number, count, closest);
    if (!gradient) return {};
    return [this, triples, pairs, table, rows, slope, &block, &values] {
      double* upper = values.keep<double>(triples.number);
      embedding_sum_grad<T>(pairs, table, block.context, triples.products,
                            values.gradient<T>(gives_), upper);
      for (int64_t k = 0; k < triples.number; ++k) upper[k] *= slope[k];
      pull_products(block, triples, rows, upper, takes_, values);
    };
  }

 private:
  int64_t blocks() const { return blocks_of_triples(types_); }

  // A pair is beyond the range of the data where its product with itself is: the last triples are
  // the pairs, in the last blocks.
  void note(const AtomBlock& block, int64_t triples, const int32_t* count, int32_t* closest) const {
    const int64_t blocks = this->blocks(), first = (blocks - types_) * blocks;
    for (int64_t k = first; k < blocks * blocks; ++k) {
      if (closest[k] >= 0) closest[k] -= static_cast<int32_t>(triples - block.num_pairs);
    }
    note_outside(block, blocks, count + first, closest + first);
  }

  TableConstants<T> constants_;
  int64_t types_;
  bool bent_;  // whether tables are by asinh of the products
  int takes_;
  std::vector<int32_t> curve_;  // [blocks, blocks]
  std::vector<double> none_;    // places without a neighbour: none, they add nothing
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_triple_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<TripleSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
