// Places on the node grid of a tabulated curve: which interval, and the weights of its four
// numbers. These are value and slope of the left node, then value and slope of the right one; in
// float32, of which a difference of values would leave little, the rise to the right value in place
// of the value.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "core/base/host_device.h"

namespace deeptf {

// Whether the third number of an interval is a rise.
template <class T>
constexpr bool kRise = std::is_same_v<T, float>;

// The number at most `last` (>= 0) of a unit in which `at` lies, counted from 0; 0 where `at` is
// not a number: an index must not be made of one.
DEEPTF_HD inline int64_t unit_at(double at, int64_t last) {
  return at > 0 ? static_cast<int64_t>(std::min(std::floor(at), static_cast<double>(last))) : 0;
}

// The interval of x on a segment of nodes, straight lines beyond its ends included.
struct Interval {
  int32_t node;  // the left one, counted over all curves
  double u;      // from it to the right one, in steps
  double inverse_step;
};

// The interval of x on nodes start + k step, k = 0 .. count - 1 (count >= 2). Where x is not
// finite, `u` is not, but `node` is one of the nodes.
DEEPTF_HD inline Interval interval_at(double x, double start, double inverse_step, int32_t first,
                                      int32_t count) {
  const double at = (x - start) * inverse_step;
  const auto left = static_cast<int32_t>(unit_at(at, count - 2));
  return {first + left, at - left, inverse_step};
}

// The weights of the cubic Hermite interpolant in G and in dG/dx, four numbers each, and of
// straight lines beyond the ends. Slopes are times the step. The weights of both values add up to
// 1, in the derivative to 0: what is left for the first one where the second one is a rise.
template <class T>
DEEPTF_HD inline void hermite_weights(const Interval& interval, T* value, T* derivative) {
  const double u = interval.u, inverse_step = interval.inverse_step;
  const auto set = [&](int i, double in_value, double in_slope) {
    value[i] = static_cast<T>(kRise<T> && i == 0 ? 1 : in_value);
    derivative[i] = static_cast<T>(kRise<T> && i == 0 ? 0 : in_slope * inverse_step);
  };
  if (u < 0) {
    set(0, 1, 0);
    set(1, u, 1);
    set(2, 0, 0);
    set(3, 0, 0);
  } else if (u > 1) {
    set(0, 0, 0);
    set(1, 0, 0);
    set(2, 1, 0);
    set(3, u - 1, 1);
  } else {
    const double w = 1 - u;
    set(0, (1 + 2 * u) * w * w, -6 * u * w);
    set(1, u * w * w, w * (1 - 3 * u));
    set(2, u * u * (3 - 2 * u), 6 * u * w);
    set(3, -u * u * w, u * (3 * u - 2));
  }
}

}  // namespace deeptf
