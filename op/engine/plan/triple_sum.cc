// Sums over two neighbours at a time with nets as tables: the sums of embedding_sum.cc over
// triples, whose blocks stand for neighbour types (core/geometry/triples.h).
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/curve/sum.h"
#include "core/geometry/triples.h"
#include "engine/plan/stages.h"
#include "engine/plan/table_constants.h"

namespace deeptf {
namespace {

template <class T>
class TripleSumStage final : public Stage {
 public:
  explicit TripleSumStage(const StageReader& reader)
      : constants_(reader),
        types_(reader.inputs.num_types),
        bent_(reader.fields.at("bent").boolean()),
        takes_(reader.takes()) {
    const ValueType& rows = reader.type_of(takes_);
    if (!rows.of_pairs || rows.width != 4) throw Error("a sum over triples must take rows of 4");
    const int64_t blocks = this->blocks();
    if (constants_.num_curves() != blocks) {
      throw Error("a sum over triples must have " + std::to_string(blocks) + " nets for " +
                  std::to_string(types_) + " types, got " +
                  std::to_string(constants_.num_curves()));
    }
    curve_.resize(blocks * blocks);
    for (int64_t k = 0; k < blocks * blocks; ++k) curve_[k] = static_cast<int32_t>(k / blocks);
    none_.assign(blocks * blocks, 0.0);
    gives_ = reader.gives({constants_.width, false, kPrecision<T>});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t blocks = this->blocks();
    const NeighborRuns runs{block.num_atoms, block.num_pairs, types_, block.neighbor_count};
    int32_t* number = values.keep<int32_t>(block.num_atoms * blocks);
    const int64_t triples = count_triples(runs, number);
    int32_t* atom_count = values.keep<int32_t>(blocks);
    std::fill(std::copy_n(block.atom_count, types_, atom_count), atom_count + blocks, 0);
    const CurvePairs pairs{block.num_atoms, triples,       blocks,       1,           atom_count,
                           number,          curve_.data(), none_.data(), none_.data()};
    const double* rows = values.take<double>(takes_);
    double* products = values.keep<double>(triples);
    triple_products(runs, block.context, rows, rows, products);
    double* slope = values.keep<double>(gradient ? triples : 0);  // of the places on the grid
    if (gradient) std::fill_n(slope, triples, 1.0);
    for (int64_t k = 0; k < triples && bent_; ++k) {
      if (gradient) slope[k] = 1 / std::sqrt(1 + products[k] * products[k]);
      products[k] = std::asinh(products[k]);
    }
    const CurveTable<T> table = constants_.table();
    int32_t* count = values.keep<int32_t>(blocks * blocks);
    int32_t* closest = values.keep<int32_t>(blocks * blocks);
    embedding_sum<T>(pairs, table, block.context, products, values.give<T>(gives_),
                     {count, closest});
    note(block, triples, count, closest);
    if (!gradient) return {};
    return [this, runs, pairs, table, rows, products, slope, &block, &values] {
      double* upper = values.keep<double>(pairs.num_pairs);
      embedding_sum_grad<T>(pairs, table, block.context, products, values.gradient<T>(gives_),
                            upper);
      for (int64_t k = 0; k < pairs.num_pairs; ++k) upper[k] *= 2 * slope[k];  // of both rows
      values.add_gradient<double>(
          takes_, [&](double* out) { triple_sums(runs, block.context, rows, upper, out); });
    };
  }

 private:
  int64_t blocks() const { return NeighborRuns{0, 0, types_, nullptr}.num_blocks(); }

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
  int takes_, gives_;
  std::vector<int32_t> curve_;  // [blocks, blocks] the net of each block
  std::vector<double> none_;    // places without a neighbour: none, they add nothing
};

}  // namespace

std::unique_ptr<Stage> make_triple_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<TripleSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
