// The formulas of activation.h, for CPU and GPU, of numbers or of lanes of them.
#pragma once

#include <type_traits>

#include "core/base/activation.h"
#include "core/base/host_device.h"

namespace deeptf {

template <class Number>
struct Curvature {
  Number value, first, second;  // f, f', f''
};

template <class Math>
DEEPTF_HD inline Curvature<typename Math::Number> evaluate_silu(typename Math::Number z) {
  using T = typename Math::Scalar;
  const typename Math::Number s = Math::sigmoid(z), slope = s * (T(1) - s);
  return {z * s, s + z * slope, T(2) * slope + z * slope * (T(1) - s * T(2))};
}

template <class Math>
DEEPTF_HD inline Curvature<typename Math::Number> evaluate_silut(typename Math::Number z,
                                                                 const Activation& of) {
  using N = typename Math::Number;
  using T = typename Math::Scalar;
  const T a = static_cast<T>(of.threshold), k = static_cast<T>(of.slope);
  const Curvature<N> below = evaluate_silu<Math>(z);
  const N h = Math::tanh(k * (z - a)), slope = k * (T(1) - h * h);
  const auto is_below = z < N{} + a;
  return {is_below ? below.value : h + static_cast<T>(of.value), is_below ? below.first : slope,
          is_below ? below.second : T(-2) * k * h * slope};
}

// Math has the types Number and Scalar and the functions tanh, sigmoid and softplus of a Number.
template <Activation::Kind kind, class Math>
DEEPTF_HD inline Curvature<typename Math::Number> evaluate(typename Math::Number z,
                                                           const Activation& of) {
  using N = typename Math::Number;
  using T = typename Math::Scalar;
  const N zero{}, one = zero + T(1);
  if constexpr (kind == Activation::tanh) {
    const N h = Math::tanh(z), slope = T(1) - h * h;
    return {h, slope, T(-2) * h * slope};
  } else if constexpr (kind == Activation::sigmoid) {
    const N s = Math::sigmoid(z), slope = s * (T(1) - s);
    return {s, slope, slope * (T(1) - s * T(2))};
  } else if constexpr (kind == Activation::softplus) {
    const N s = Math::sigmoid(z);
    return {Math::softplus(z), s, s * (T(1) - s)};
  } else if constexpr (kind == Activation::silu) {
    return evaluate_silu<Math>(z);
  } else if constexpr (kind == Activation::silut) {
    return evaluate_silut<Math>(z, of);
  } else if constexpr (kind == Activation::gelu || kind == Activation::gelu_tf) {
    constexpr T scale = T(0.7978845608028654);  // sqrt(2/pi)
    constexpr T cubic = kind == Activation::gelu ? T(0.044715) : T(0.044715f);
    const N t = Math::tanh(scale * (z + cubic * z * z * z)), slope = T(1) - t * t;
    const N inner = scale * (T(1) + T(3) * cubic * z * z);
    const N bend = T(6) * scale * cubic * z - T(2) * t * inner * inner;
    return {T(0.5) * z * (T(1) + t), T(0.5) * (T(1) + t) + T(0.5) * z * slope * inner,
            slope * inner + T(0.5) * z * slope * bend};
  } else if constexpr (kind == Activation::relu) {
    return {z < zero ? zero : z, z > zero ? one : zero, zero};
  } else if constexpr (kind == Activation::relu6) {
    const N six = zero + T(6), positive = z < zero ? zero : z, inside = z < six ? one : zero;
    return {positive > six ? six : positive, z > zero ? inside : zero, zero};
  } else {
    return {z, one, zero};
  }
}

// Calls body(std::integral_constant<Activation::Kind, kind>()) and returns what it does.
template <class Body>
DEEPTF_HD inline auto with_kind(Activation::Kind kind, const Body& body) {
  switch (kind) {
#define DEEPTF_CASE(KIND) \
  case Activation::KIND:  \
    return body(std::integral_constant<Activation::Kind, Activation::KIND>());
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
    case Activation::linear:
      break;
  }
  return body(std::integral_constant<Activation::Kind, Activation::linear>());
}

}  // namespace deeptf
