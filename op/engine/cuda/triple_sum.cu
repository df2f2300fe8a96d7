// Sums over two neighbours at a time with nets as tables; engine/plan/triple_sum.cc has what they
// are on the CPU.
#include <cmath>

#include "core/cuda/embedding_sum.h"
#include "engine/cuda/stage.h"
#include "engine/cuda/table.h"
#include "engine/cuda/triples.h"

namespace deeptf::device {
namespace {

// Places on a grid by asinh, and their slopes.
struct Bend {
  double *products, *slope;  // slope or null

  DEEPTF_HD void operator()(int64_t k) const {
    const double product = products[k];
    if (slope != nullptr) slope[k] = 1 / sqrt(1 + product * product);
    products[k] = asinh(product);
  }
};

struct Multiply {
  const double* by;
  double* to;

  DEEPTF_HD void operator()(int64_t k) const { to[k] *= by[k]; }
};

template <class T>
class TripleSumStage final : public Stage {
 public:
  explicit TripleSumStage(const StageReader& reader)
      : TripleSumStage(TripleSumConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const double* rows = values.take<double>(takes_);
    const Triples triples = triples_.find(block, rows, values);
    const int64_t q = triples.number(), blocks = triples.pairs.num_types;
    double* slope = bent_ && gradient ? values.keep<double>(q) : nullptr;
    if (bent_) for_each(block.cuda, q, Bend{triples.products, slope});
    auto* count = values.keep<int32_t>(blocks * blocks);
    auto* closest = values.keep<int32_t>(blocks * blocks);
    embedding_sum<T>(triples.pairs, table_.get(), block.cuda, triples.products,
                     values.give<T>(gives_), {count, closest});
    // A pair is beyond the range of the data where its product with itself is.
    const int64_t alone = (blocks - block.num_types) * blocks;
    note_outside(block, blocks, {count + alone, closest + alone}, triples.of_two());
    if (!gradient) return {};
    return [this, triples, rows, slope, q, &block, &values] {
      double* upper = values.keep<double>(q);
      embedding_sum_grad<T>(triples.pairs, table_.get(), block.cuda, triples.products,
                            values.gradient<T>(gives_), upper);
      if (slope != nullptr) for_each(block.cuda, q, Multiply{slope, upper});
      pull_products(block, triples, rows, upper, takes_, values);
    };
  }

 private:
  explicit TripleSumStage(const TripleSumConstants<T>& host)
      : takes_(host.triples.takes),
        gives_(host.gives),
        bent_(host.bent),
        table_(host.table),
        triples_(host.triples) {}

  int takes_, gives_;
  bool bent_;  // whether tables are by asinh of the products
  Table<T> table_;
  TripleFinder triples_;
};

}  // namespace

std::unique_ptr<Stage> make_triple_sum(const StageReader& reader) {
  return make_in<Stage, TripleSumStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
