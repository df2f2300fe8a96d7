// One step of Adam of several processes on one host that train the same weights: each moves its
// share of weights and moments, once for all, in the memory that they share (ZeRO, Rajbhandari et
// al., arXiv:1910.02054, its first stage). Together they touch them once, where a sum of gradients
// and then a whole step in every process would touch them as often as there are processes.
//
// There are two places for the weights, and a step reads them in one and writes them to the other:
// what is computed from them in other processes is not disturbed.
#pragma once

#include <cstdint>
#include <vector>

#include "train/adam.h"
#include "train/host_sum.h"

namespace deeptf {

template <class T>
class HostAdam {
 public:
  // sizes : of the arrays, the same in all processes.
  // extra : how many more numbers are summed.
  HostAdam(const Host& host, std::vector<int64_t> sizes, int64_t extra);

  // Moves weights and moments from where `arrays` has them to first(), second() and weight().
  //
  // arrays : the numbers, the same in all processes, and this one's gradients.
  // extra : more numbers of this process; `sums` gets their sums over all.
  // Throws Ended when another process ends instead of taking the step.
  void step(const std::vector<AdamArrays<const T>>& arrays, const AdamStep& step, const T* extra,
            T* sums, const Context& context) const;

  // Where an array is after a step, whole: the moments until the next step, the weights until the
  // one after that.
  T* first(int64_t array) const { return sum_.room(kFirst, array); }
  T* second(int64_t array) const { return sum_.room(kSecond, array); }
  T* weight(int64_t array) const { return sum_.room(kWeights + sum_.times() % 2, array); }

 private:
  static constexpr int64_t kFirst = 0, kSecond = 1, kWeights = 2, kRooms = 4;

  int64_t extra_;
  HostSum<T> sum_;  // of the arrays and, behind them, of the extra numbers
};

}  // namespace deeptf
