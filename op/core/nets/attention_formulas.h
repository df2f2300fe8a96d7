// The formulas of attention.h for one pair j and one pair k of its atom, for CPU and GPU.
#pragma once

#include "core/base/host_device.h"

namespace deeptf {

// l = (z + lift) scale - lift
template <class T>
DEEPTF_HD constexpr T attention_lift(bool smooth) {
  return smooth ? T(20) : T(0);
}

template <class T>
struct AttentionTerm {
  T gate, scale, cosine, share;  // g, dl/dz, c and s

  DEEPTF_HD T both() const { return gate * cosine; }
  DEEPTF_HD T weight() const { return share * both(); }
};

// How a term changes; `scale` does so as the gate, which is 0 where the term is not smooth.
template <class T>
struct AttentionTermChange {
  T gate, cosine, share;

  DEEPTF_HD T both(const AttentionTerm<T>& of) const { return gate * of.cosine + of.gate * cosine; }
  DEEPTF_HD T weight(const AttentionTerm<T>& of) const {
    return share * of.both() + of.share * both(of);
  }
};

// Gradients in z, g and c.
template <class T>
struct AttentionTermGrad {
  T score, gate, cosine;
};

// `lifted` is z + lift, `weight_grad` the gradient in w, `mean` the sum of weight_grad w over k.
template <class T>
DEEPTF_HD inline AttentionTermGrad<T> attention_grad_of(const AttentionTerm<T>& term, T lifted,
                                                        T weight_grad, T mean) {
  const T logit = term.share * (weight_grad * term.both() - mean);
  const T raw = weight_grad * term.share;
  return {logit * term.scale, raw * term.cosine + logit * lifted, raw * term.gate};
}

// What changes, beside the term.
template <class T>
struct AttentionGradChange {
  T score, weight_grad, mean;
};

// The change of attention_grad_of.
template <class T>
DEEPTF_HD inline AttentionTermGrad<T> attention_grad_change(const AttentionTerm<T>& term,
                                                            const AttentionTermChange<T>& change,
                                                            T lifted, T weight_grad, T mean,
                                                            const AttentionGradChange<T>& by) {
  const T both = term.both(), both_change = change.both(term);
  const T above = weight_grad * both - mean;
  const T above_change = by.weight_grad * both + weight_grad * both_change - by.mean;
  const T logit = term.share * above;
  const T logit_change = change.share * above + term.share * above_change;
  const T raw = weight_grad * term.share;
  const T raw_change = by.weight_grad * term.share + weight_grad * change.share;
  return {logit_change * term.scale + logit * change.gate,
          raw_change * term.cosine + raw * change.cosine + logit_change * lifted + logit * by.score,
          raw_change * term.gate + raw * change.gate};
}

}  // namespace deeptf
