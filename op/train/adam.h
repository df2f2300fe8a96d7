// One step of Adam (Kingma & Ba, arXiv:1412.6980), in one pass over an array or over all of a
// model:
//
//   m <- m + (1 - beta1) (g - m)
//   v <- v + (1 - beta2) (g^2 - v)
//   w <- w - rate m / (sqrt(v) + epsilon)
//
// `rate` has the bias correction in it: learning rate times sqrt(1 - beta2^t) / (1 - beta1^t).
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/context.h"

namespace deeptf {

struct AdamStep {
  double rate, beta1, beta2, epsilon;
};

template <class T>
struct AdamArrays {
  int64_t size;
  T *weight, *first, *second;  // w, m, v
  const T* gradient;           // g
};

template <class T>
void adam(const AdamArrays<T>& array, const AdamStep& step);

template <class T>
void adam(const std::vector<AdamArrays<T>>& all, const AdamStep& step, const Context& context);

}  // namespace deeptf
