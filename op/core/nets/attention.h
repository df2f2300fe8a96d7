// Attention between the neighbours of an atom (DPA-1, arXiv:2208.08236), whose pairs are
// consecutive.
//
// A pair has a query, a key and a value q, k, v [w], a gate p and a direction d [3]. With a^ = a
// divided by its length, for pairs j and k of one atom:
//
//   z_jk = q^_j . k^_k          l_jk = (z_jk + 20) g_jk - 20,  g_jk = p_j p_k
//   s_jk = e^l_jk / (sum_m e^l_jm + (places - count) e^-20)
//   w_jk = s_jk g_jk c_jk,      c_jk = d^_j . d^_k
//   out_j = sum_k w_jk v^_k
//
// so a pair whose gate is 0 counts as an empty place does, of which there may be less than none.
// Where it is not `smooth`: l = z, e^l_jm is multiplied by p_m (0 or 1), empty places do not count,
// and g_jk is p_j. Without `dotr` c is 1, without `diagonal` w_jj is 0.
//
// The n x n numbers of an atom with n pairs are made where they are used and never stored: so the
// memory is that of the pairs, and one of them is a few hundred KB that stay in the second cache.
// For the same reason the derivatives are functions of their own, and not made of those of its
// parts:
//
//   attention_grad       gradient of sum(upper * out) in all inputs (the gate: if smooth)
//   attention_grad_grad  that of sum(tangent * attention_grad) in upper and inputs: the change of
//                        out, and of attention_grad, as the inputs change by `tangent`
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/moments/runs.h"

namespace deeptf {

enum Part { kQuery, kKey, kValue, kParts };  // of what pairs attend with

struct AttentionShape {
  Runs runs;       // columns is 3, width that of a query
  int64_t places;  // of an atom
  bool smooth, dotr, diagonal;
};

// What each pair has.
template <class T>
struct AttentionArrays {
  const T* attended;   // [p, 3, w] parts
  const T* direction;  // [p, 3]
  const T* gate;       // [p]
};
template <class T>
struct AttentionGrads {  // same shapes
  T* attended;
  T* direction;
  T* gate;
};

// out [p, w]
template <class T>
void attention(const AttentionShape& shape, const Context& context, const AttentionArrays<T>& in,
               T* out);
template <class T>
void attention_grad(const AttentionShape& shape, const Context& context,
                    const AttentionArrays<T>& in, const T* upper, const AttentionGrads<T>& grad);
// `grad` is what attention_grad gave.
template <class T>
void attention_grad_grad(const AttentionShape& shape, const Context& context,
                         const AttentionArrays<T>& in, const T* upper,
                         const AttentionArrays<T>& grad, const AttentionArrays<T>& tangent,
                         T* upper_grad, const AttentionGrads<T>& second);

}  // namespace deeptf
