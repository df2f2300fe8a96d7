// The contraction of the DeepPot-SE descriptor and what its derivatives need. With T [W, M] of an
// atom and A its first `axis` columns:
//
//   moment_product        D_mk  = sum_w T_wm T_wk,                             k < axis
//   moment_product_grad   G_wm  = sum_k Y_mk T_wk + [m < axis] sum_n Y_nm T_wn
//   moment_product_polar  P_mk  = sum_w T_wm X_wk + X_wm T_wk
//
// G is the gradient of sum Y D to T. It is linear in Y and in T: its own gradients are G of another
// T, and P.
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

struct MomentShape {
  int64_t num_atoms;  // n
  int64_t columns;    // W
  int64_t width;      // M
  int64_t axis;       // at most M
};

// moments [n, W, M] -> product [n, M, axis]
template <class T>
void moment_product(const MomentShape& shape, const Context& context, const T* moments, T* product);
// moments [n, W, M], upper [n, M, axis] -> grad [n, W, M]
template <class T>
void moment_product_grad(const MomentShape& shape, const Context& context, const T* moments,
                         const T* upper, T* grad);
// moments, other [n, W, M] -> polar [n, M, axis]
template <class T>
void moment_product_polar(const MomentShape& shape, const Context& context, const T* moments,
                          const T* other, T* polar);

}  // namespace deeptf
