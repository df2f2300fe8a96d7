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
  switch (kind) {
#define DEEPTF_CASE(KIND) \
  case Activation::KIND:  \
    return evaluate<Activation::KIND, Scalars<T>>(z, kind);
    DEEPTF_CASE(linear)
    DEEPTF_CASE(tanh)
    DEEPTF_CASE(sigmoid)
    DEEPTF_CASE(softplus)
    DEEPTF_CASE(silu)
    DEEPTF_CASE(gelu)
    DEEPTF_CASE(gelu_tf)
    DEEPTF_CASE(relu)
    DEEPTF_CASE(relu6)
    DEEPTF_CASE(silut)
#undef DEEPTF_CASE
  }
  return {};
}

}  // namespace deeptf
