// The sums of triple_sum.cu with the nets themselves, evaluated for every triple.
#include "core/cuda/neighbor_sum.h"
#include "engine/cuda/by_centre.h"
#include "engine/cuda/pair_nets.h"
#include "engine/cuda/pair_pulls.h"
#include "engine/cuda/triples.h"

namespace deeptf::device {
namespace {

// The share of its block and the weight of each triple, by centre; zero behind the last one.
template <class T>
struct WeighTriples {
  ByCentre order;
  int64_t num_blocks;
  const double* shares;  // [B]
  const int32_t* block;  // [q]
  const T* x;            // [q]
  T *share, *weight;     // [q]

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t triple = order.pair[k];
    share[k] = triple < 0 ? T(0) : static_cast<T>(shares[block[triple] / num_blocks]);
    weight[k] = triple < 0 ? T(0) : share[k] * x[triple];
  }
};

template <class T>
class TripleNetworkSumStage final : public Stage {
 public:
  explicit TripleNetworkSumStage(const StageReader& reader)
      : TripleNetworkSumStage(TripleNetworkSumConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const double* rows = values.take<double>(takes_);
    const Triples triples = triples_.find(block, rows, values);
    const int64_t q = triples.number(), width = nets_.width();
    T *x = values.keep<T>(q), *share = values.keep<T>(q), *weight = values.keep<T>(q);
    for_each(block.cuda, q, Copy<double, T, false>{triples.products, x});
    const int32_t* blocks = blocks_of_pairs(triples.pairs, block.cuda);
    const NetValues<T> found =
        nets_.evaluate(block, {q, x, 1, blocks, triples.pairs.curve}, values);
    const ByCentre order = by_centre(triples.pairs, block.cuda);
    for_each(
        block.cuda, q,
        WeighTriples<T>{order, triples.pairs.num_types, shares_.data(), blocks, x, share, weight});
    const T* value = gathered(block, order, width, found.value, values);
    const Runs runs = order.runs(1, width);
    neighbor_sum<T>(runs, block.cuda, weight, value, values.give<T>(gives_));
    if (!gradient) return {};
    return [this, triples, rows, found, order, runs, share, weight, value, q, width, &block,
            &values] {
      const T* upper = values.gradient<T>(gives_);
      T *value_grad = values.keep<T>(q * width), *weight_grad = values.keep<T>(q);
      neighbor_sum_value_grad<T>(runs, block.cuda, weight, upper, value_grad);
      neighbor_sum_weight_grad<T>(runs, block.cuda, value, upper, weight_grad);
      auto* products_grad = values.keep<double>(q);
      pull_pairs(block.cuda, PairPull<T, double>{q, order.pair, width, 1, value_grad, found.slope,
                                                 weight_grad, share, products_grad});
      pull_products(block, triples, rows, products_grad, takes_, values);
    };
  }

 private:
  explicit TripleNetworkSumStage(const TripleNetworkSumConstants<T>& host)
      : takes_(host.triples.takes),
        gives_(host.gives),
        nets_(host.nets),
        triples_(host.triples),
        shares_(host.shares) {}

  int takes_, gives_;
  PairNets<T> nets_;
  TripleFinder triples_;
  Constant<double> shares_;  // [B]
};

}  // namespace

std::unique_ptr<Stage> make_triple_network_sum(const StageReader& reader) {
  return make_in<Stage, TripleNetworkSumStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
