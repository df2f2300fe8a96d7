// One step of Adam of several processes on one machine that train the same weights: each moves its
// share of the weights by the sum of all gradients and gives them to the others (ZeRO, Rajbhandari
// et al., arXiv:1910.02054, its first stage). Together they touch the moments once, where a sum of
// gradients and then a whole step in every process would touch them as often as there are
// processes.
#pragma once

#include <cstdint>
#include <vector>

#include "core/adam.h"
#include "core/node_sum.h"

namespace deeptf {

template <class T>
class NodeAdam {
 public:
  // sizes : of the arrays, the same in all processes.
  // extra : how many more numbers are summed.
  NodeAdam(const Node& node, std::vector<int64_t> sizes, int64_t extra);

  // Moves weights. Moments that are elsewhere than first() and second() say are copied there, and
  // are there afterwards.
  //
  // extra : numbers of this process; `sums` gets their sums over all.
  // Throws Ended when another process ends instead of taking the step.
  void step(const std::vector<AdamArrays<T>>& arrays, const AdamStep& step, const T* extra, T* sums,
            const ParallelFor& parallel) const;

  // Moments of an array, in the memory: those of all shares at the end of a step, until the next.
  T* first(int64_t array) const { return sum_.room(0, array); }
  T* second(int64_t array) const { return sum_.room(1, array); }

 private:
  NodeSum<T> sum_;  // of the arrays and, behind them, of the extra numbers
};

}  // namespace deeptf
