// What sums and values with gates of types read beside those without: the gate of each block of
// pairs, and the shares of pairs where they fade out at the cut-off.
#pragma once

#include "core/curve/gated_sum.h"
#include "engine/plan/share.h"

namespace deeptf {

// Shares p of the pairs of a block.
class PairShares {
 public:
  // `width` is that of the rows.
  PairShares(const StageReader& reader, int64_t width) : constants_(reader, width) {}

  bool fade() const { return constants_.fade(); }

  // [p] of pairs with these rows; null where each is 1.
  const double* of(const AtomBlock& block, const double* rows, Values& values) const {
    if (!fade()) return nullptr;
    double* to = values.keep<double>(block.num_pairs);
    for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
      to[pair] = formula().share(block.type[block.centre[pair]], rows[4 * pair]);
    }
    return to;
  }

  // Their derivatives in the first numbers of the rows; null where they have none.
  const double* slopes(const AtomBlock& block, const double* rows, Values& values) const {
    if (!fade()) return nullptr;
    double* to = values.keep<double>(block.num_pairs);
    for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
      to[pair] = formula().slope(block.type[block.centre[pair]], rows[4 * pair]);
    }
    return to;
  }

 private:
  ShareFormula formula() const {
    return {constants_.rcut_smth, constants_.mean.data(), constants_.stddev.data()};
  }

  ShareConstants constants_;
};

// Gates h of the blocks of pairs of two types, which multiply the values of nets by 1 + p h.
template <class T>
class TypeGates {
 public:
  TypeGates(const StageReader& reader, int64_t columns, int64_t width)
      : width_(width), gate_(read_gate<T>(reader, columns, width)) {}

  bool given() const { return gate_.size() > 0; }
  Gates<T> with(const double* shares) const { return {gate_.data(), shares}; }

  // Multiplies value and slope of the net of a pair; the share has a slope too. Shares and slopes
  // are those of all pairs, or null.
  void apply(int64_t block, int64_t pair, const double* shares, const double* slopes, T* value,
             T* slope) const {
    if (!given()) return;
    const T* gate = gate_.data() + block * width_;
    const T share = shares == nullptr ? T(1) : static_cast<T>(shares[pair]);
    const T rise = slopes == nullptr ? T(0) : static_cast<T>(slopes[pair]);
#pragma omp simd
    for (int64_t m = 0; m < width_; ++m) {
      const T factor = T(1) + share * gate[m];
      slope[m] = factor * slope[m] + rise * gate[m] * value[m];
      value[m] *= factor;
    }
  }

 private:
  int64_t width_;
  Aligned<T> gate_;
};

}  // namespace deeptf
