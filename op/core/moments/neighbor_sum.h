// Sums over the neighbours of each atom: out_a = sum_j weight_j (x) value_j, and its two
// derivatives.
//
// Atom a owns count[a] consecutive pairs. The three functions are closed under differentiation:
//   neighbor_sum              out[a, w, m]   = sum_j weight[j, w] value[j, m]
//   neighbor_sum_value_grad   out[j, m]      = sum_w weight[j, w] grad[a(j), w, m]
//   neighbor_sum_weight_grad  out[j, w]      = sum_m value[j, m] grad[a(j), w, m]
// Fast for W = 4; other W run one column at a time.
#pragma once

#include "core/base/context.h"
#include "core/moments/runs.h"

namespace deeptf {

template <class T>
void neighbor_sum(const Runs& runs, const Context& context, const T* weight, const T* value,
                  T* sum);
template <class T>
void neighbor_sum_value_grad(const Runs& runs, const Context& context, const T* weight,
                             const T* grad, T* value_grad);
template <class T>
void neighbor_sum_weight_grad(const Runs& runs, const Context& context, const T* value,
                              const T* grad, T* weight_grad);

}  // namespace deeptf
