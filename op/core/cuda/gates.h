// Gates of types (curve/gated_sum.h) in the kernels on tabulated curves, which are made without
// gates too. Pairs come in blocks, so a lane keeps those of the block at hand in registers.
#pragma once

#include "core/cuda/curve_terms.h"
#include "core/curve/gated_sum.h"

namespace deeptf {

// A term with the block and the share of its pair; empty places have no share.
template <class T, class Base>
struct Gated : Base {
  T share;
  int32_t block;

  __device__ void set_gate(const Gates<T>& gates, int64_t pairs_block, int64_t pair, bool empty) {
    block = static_cast<int32_t>(pairs_block);
    share = empty ? T(0) : gates.share_of(pair);
  }
};

// weight (x) G + slope_weight (x) G' with gates: weight is the direction, slope_weight the row, and
// `derivative` is that of G times the direction.
template <class T>
struct GatedTangentTerm : Gated<T, TangentTerm<T, 4>> {
  T along_share;

  // Behind set_place and set_gate.
  __device__ void set_direction(const double* rows, const GatedDirection& direction, int64_t pair) {
    for (int w = 0; w < 4; ++w) {
      this->weight[w] = static_cast<T>(direction.rows[4 * pair + w]);
      this->slope_weight[w] = static_cast<T>(rows[4 * pair + w]);
    }
    for (T& one : this->derivative) one *= this->weight[0];
    along_share = static_cast<T>(direction.share_of(pair));
  }
};

// Of kernels without gates.
struct NoGate {
  template <class Term, class Column>
  __device__ void turn_to(const Term&, const Column&) {}
  template <class Term, class T>
  __device__ void weigh(const Term&, int, T*, T*) const {}
  template <class Term, class T>
  __device__ void weigh_back(const Term&, int, T*, T*) const {}
};

// The gates of kCount columns of a lane.
template <class T, int kCount>
class LaneGate {
 public:
  __device__ LaneGate(const T* gate, int64_t width) : gate_(gate), width_(width) {}

  // Takes those of the block of a term; its column k is column(k) of the net.
  template <class Base, class Column>
  __device__ void turn_to(const Gated<T, Base>& term, const Column& column) {
    if (term.block == block_) return;
    block_ = term.block;
#pragma unroll
    for (int k = 0; k < kCount; ++k) {
      const int64_t at = column(k);
      h_[k] = at < width_ ? gate_[block_ * width_ + at] : T(0);
    }
  }

  __device__ T gate(int k) const { return h_[k]; }

  // From G and G' of column k to what the sums take in their place.
  template <class Base>
  __device__ void weigh(const Gated<T, Base>& term, int k, T* g, T* d) const {
    const T a = factor(term, k);
    *g *= a;
    *d *= a;
  }
  __device__ void weigh(const GatedTangentTerm<T>& term, int k, T* g, T* d) const {
    const T a = factor(term, k);
    *d = *d * a + term.along_share * h_[k] * *g;
    *g *= a;
  }

  // The transpose: from the gradients of these to those of G and G'.
  template <class Base>
  __device__ void weigh_back(const Gated<T, Base>& term, int k, T* u, T*) const {
    *u *= factor(term, k);
  }
  __device__ void weigh_back(const GatedTangentTerm<T>& term, int k, T* u, T* v) const {
    const T a = factor(term, k);
    *u = *u * a + term.along_share * h_[k] * *v;
    *v *= a;
  }

 private:
  template <class Base>
  __device__ T factor(const Gated<T, Base>& term, int k) const {
    return 1 + term.share * h_[k];
  }

  const T* gate_;
  int64_t width_;
  int32_t block_ = -1;
  T h_[kCount];
};

}  // namespace deeptf
