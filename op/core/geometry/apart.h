// What the displacement between two atoms must be.
#pragma once

#include <string>

#include "core/base/host_device.h"

namespace deeptf {

constexpr double kTooClose = 1e-6;  // A; two atoms at this distance are one atom written twice

// Whether the displacement x [3] is finite and not shorter than that.
DEEPTF_HD inline bool is_apart(const double* x) {
  const double square = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  return square >= kTooClose * kTooClose && x[0] * 0 + x[1] * 0 + x[2] * 0 == 0;
}

inline std::string not_apart(const double* x) {
  return "`displacement` must be finite and at least 1e-6 A long, got [" + std::to_string(x[0]) +
         ", " + std::to_string(x[1]) + ", " + std::to_string(x[2]) + "]";
}

}  // namespace deeptf
