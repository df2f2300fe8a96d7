// e^x for vectors, and its parts for functions that are made of it:
// e^x - 1 = 2^n (e^r - 1) + (2^n - 1) with x = n ln 2 + r and |r| <= ln(2)/2, where e^r - 1 is a
// Taylor polynomial.
#pragma once

#include <cstdint>
#include <type_traits>

#include "core/base/lane.h"

namespace deeptf {

template <class T>
using Bits = Lane<std::conditional_t<sizeof(T) == 8, int64_t, int32_t>>;

template <class T>
struct Format;
template <>
struct Format<double> {
  static constexpr int mantissa = 52, bias = 1023, degree = 13;
  static constexpr double largest = 708, one_from = 20;  // e^x is finite; tanh rounds to 1
  static constexpr double ln2_high = 0x1.62e42feep-1;    // n ln2_high is exact
  static constexpr double ln2_low = 0x1.a39ef35793c76p-33;
};
template <>
struct Format<float> {
  static constexpr int mantissa = 23, bias = 127, degree = 7;
  static constexpr float largest = 87, one_from = 10;
  static constexpr float ln2_high = 0x1.62e4p-1f;
  static constexpr float ln2_low = 0x1.7f7d1cp-20f;
};

template <class T>
Lane<T> lane_of(T value) {
  return Lane<T>{} + value;
}

template <class T>
struct Taylor {
  T of[Format<T>::degree + 1] = {1};
  constexpr Taylor() {
    for (int k = 1; k <= Format<T>::degree; ++k) of[k] = of[k - 1] / T(k);
  }
};
template <class T>
constexpr Taylor<T> kTaylor;  // 1 / k!

// e^x = power (1 + fraction), for |x| <= largest.
template <class T>
struct Exponential {
  explicit Exponential(Lane<T> x) {
    using F = Format<T>;
    constexpr T magic = T(1.5) * static_cast<T>(int64_t{1} << F::mantissa);  // rounds n to integers
    const Lane<T> shifted = x * T(1.4426950408889634) + magic;
    const Lane<T> n = shifted - magic;
    const Lane<T> r = (x - n * F::ln2_high) - n * F::ln2_low;
    const Bits<T> exponent = reinterpret_cast<Bits<T>>(shifted) + F::bias;
    power = reinterpret_cast<Lane<T>>(exponent << F::mantissa);
    const Lane<T> square = r * r;
    Lane<T> odd = lane_of(kTaylor<T>.of[F::degree]), even = lane_of(kTaylor<T>.of[F::degree - 1]);
#pragma GCC unroll 8
    for (int k = F::degree - 2; k > 1; k -= 2) {  // two chains, to hide their latency
      odd = odd * square + kTaylor<T>.of[k];
      even = even * square + kTaylor<T>.of[k - 1];
    }
    fraction = r + square * (even + r * odd);
  }

  Lane<T> power, fraction;
};

// x = e^x for `count` numbers with |x| <= largest; a result does not depend on its place.
template <class T>
void exponentials(int64_t count, T* x) {
  const auto of = [](Lane<T> lane) {
    const Exponential<T> e(lane);
    return e.power + e.power * e.fraction;
  };
  int64_t k = 0;
  for (; k + kLane<T> <= count; k += kLane<T>) store(x + k, of(load(x + k)));
  if (k == count) return;
  Lane<T> rest{};
  for (int64_t j = 0; j < count - k; ++j) rest[j] = x[k + j];
  rest = of(rest);
  for (int64_t j = 0; j < count - k; ++j) x[k + j] = rest[j];
}

}  // namespace deeptf
