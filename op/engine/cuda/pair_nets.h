// Embedding nets that are evaluated for every pair or triple, on a device.
#pragma once

#include "core/cuda/curve_pairs.h"
#include "engine/cuda/stage.h"
#include "engine/plan/pair_nets.h"

namespace deeptf::device {

// The block of each pair, neighbour type first; -1 behind the last one. In the memory of the step.
const int32_t* blocks_of_pairs(const PlacedPairs& pairs, const Cuda& cuda);

// Where nets are evaluated: at x[k stride], the one that curve [T, T] has for block [p].
template <class T>
struct NetPlaces {
  int64_t number;  // p
  const T* x;
  int64_t stride;
  const int32_t *block, *curve;
};

// [p, M]; zero where there is no net.
template <class T>
struct NetValues {
  T *value, *slope;
};

template <class T>
class PairNets {
 public:
  explicit PairNets(const deeptf::PairNets<T>& host);

  int64_t width() const { return layers_.back().width; }

  NetValues<T> evaluate(const Block& block, const NetPlaces<T>& places, const Values& values) const;

 private:
  // Where the arrays of a layer lie in `weights_`.
  struct Layer {
    int64_t n_in, width, matrix, bias, idt;  // idt -1: none
  };

  void evaluate_piece(const Cuda& cuda, const NetPlaces<T>& places, const NetValues<T>& to) const;

  Activation activation_;
  std::vector<Layer> layers_;
  int64_t stride_, first_bias_stride_;  // from net to net
  Constant<T> weights_;
};

extern template class PairNets<float>;
extern template class PairNets<double>;

}  // namespace deeptf::device
