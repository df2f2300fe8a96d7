// The formulas of unit_rows.h and row_norm.h for one number of a row, for CPU and GPU.
#pragma once

#include <cmath>

#include "core/base/host_device.h"

namespace deeptf {

template <class T>
DEEPTF_HD constexpr T least_square() {  // of a length
  return T(1e-12);
}

// 1 / |x| of a row whose square is given; of a short one that of the least length.
template <class T>
DEEPTF_HD inline T unit_inverse(T square) {
  return T(1) / std::sqrt(square > least_square<T>() ? square : least_square<T>());
}
template <class T>
DEEPTF_HD inline bool is_short_row(T inverse) {
  return inverse >= T(1) / std::sqrt(least_square<T>());
}

// Of J in; `along` is x^ . in.
template <class T>
DEEPTF_HD inline T unit_change(T in, T unit, T along, T inverse) {
  return (in - unit * along) * inverse;
}

// What the change of J unit_grad needs of a whole row; names of UnitRows::project_changed.
template <class T>
struct UnitRowChange {
  T along;      // x^ . unit_grad
  T rate;       // change of |x| / |x|
  T with_unit;  // change of `along`
  T inverse;    // 1 / |x|

  DEEPTF_HD T operator()(T change, T unit, T turned, T grad) const {
    return (change - turned * along - unit * with_unit) * inverse - grad * rate;
  }
};

// Of J u with `mean` that of u and `along` y.u / M.
template <class T>
DEEPTF_HD inline T norm_change(T u, T mean, T y, T along, T inverse) {
  return (u - mean - y * along) * inverse;
}

// Of the gradient of v^T J u; `both` is v^T J u / M, `along_u` y.u / M, `turned_u` J u.
template <class T>
struct NormSecond {
  T both, along_u, along_v, inverse;

  DEEPTF_HD T operator()(T y, T turned_u, T turned_v) const {
    return -(y * both + along_u * turned_v + along_v * turned_u) * inverse;
  }
};

}  // namespace deeptf
