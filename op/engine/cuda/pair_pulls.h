// From gradients in the values of nets of pairs to those in what the nets take, on a device.
#pragma once

#include "core/cuda/device.h"

namespace deeptf::device {

// to[pair, 0] = sum_m value_grad[k, m] slope[pair, m], and share_k weight_grad[k] is added to
// to[pair] where weights have a gradient; pair is pair[k], and -1 where there is none.
template <class T, class To>
struct PairPull {
  int64_t number;
  const int32_t* pair;  // [p]; null: each is at its own place
  int64_t width, columns;
  const T *value_grad, *slope;  // [p, M]
  const T* weight_grad;         // [p, columns] or null
  const T* share;               // [p] or null
  To* to;                       // [p, columns]
};

// A warp has a pair.
template <class T, class To>
__global__ void __launch_bounds__(128) pair_pull_kernel(PairPull<T, To> of) {
  const int64_t k = warp_index();
  if (k >= of.number) return;
  const int64_t pair = of.pair != nullptr ? of.pair[k] : k;
  if (pair < 0) return;
  const int lane = threadIdx.x % kLanes;
  T sum = 0;
  for (int64_t m = lane; m < of.width; m += kLanes) {
    sum += of.value_grad[k * of.width + m] * of.slope[pair * of.width + m];
  }
  T along = warp_total(sum);
  if (lane >= of.columns) return;
  if (lane > 0) along = 0;
  if (of.weight_grad != nullptr) {
    const T share = of.share != nullptr ? of.share[k] : T(1);
    along += share * of.weight_grad[k * of.columns + lane];
  }
  of.to[pair * of.columns + lane] = static_cast<To>(along);
}

// `to` is zero where there is no pair, or it is left out.
template <class T, class To>
void pull_pairs(const Cuda& cuda, const PairPull<T, To>& of) {
  set_zero(cuda, of.to, of.number * of.columns);
  launch(cuda, blocks_of_warps(of.number, 128), 128, pair_pull_kernel<T, To>, of);
}

}  // namespace deeptf::device
