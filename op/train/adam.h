// One step of Adam (Kingma & Ba, arXiv:1412.6980), in one pass over an array or over all of a
// model:
//
//   m <- m + (1 - beta1) (g - m)
//   v <- v + (1 - beta2) (g^2 - v)
//   w <- w - rate m / (sqrt(v) + epsilon)
//
// `rate` has the bias correction in it: learning rate times sqrt(1 - beta2^t) / (1 - beta1^t).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/context.h"
#include "core/base/host_device.h"

namespace deeptf {

struct AdamStep {
  double rate, beta1, beta2, epsilon;
};

// The same in the precision of the arrays.
template <class T>
struct AdamRates {
  AdamRates() = default;
  explicit AdamRates(const AdamStep& step)
      : rate(static_cast<T>(step.rate)),
        first(static_cast<T>(1 - step.beta1)),
        second(static_cast<T>(1 - step.beta2)),
        epsilon(static_cast<T>(step.epsilon)) {}

  T rate, first, second, epsilon;
};

// The step of one number.
template <class T>
DEEPTF_HD inline void adam_number(const AdamRates<T>& rates, T g, T* w, T* m, T* v) {
  *m += rates.first * (g - *m);
  *v += rates.second * (g * g - *v);
  *w -= rates.rate * *m / (std::sqrt(*v) + rates.epsilon);
}

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
