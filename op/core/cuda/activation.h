// Activation functions of one number on a GPU; the formulas are those of the CPU.
#pragma once

#include <cmath>

#include "core/base/activation_formulas.h"
#include "core/base/host_device.h"

namespace deeptf {

template <class T>
struct Scalars {
  using Number = T;
  using Scalar = T;
  DEEPTF_HD static T tanh(T x) { return std::tanh(x); }
  DEEPTF_HD static T sigmoid(T x) { return T(1) / (T(1) + std::exp(-x)); }
  DEEPTF_HD static T softplus(T x) {
    return (x > T(0) ? x : T(0)) + std::log1p(std::exp(-std::abs(x)));
  }
};

template <class T>
DEEPTF_HD inline Curvature<T> activate_one(Activation kind, T z) {
  return with_kind(kind, [&](auto known) { return evaluate<known.value, Scalars<T>>(z, kind); });
}

}  // namespace deeptf
