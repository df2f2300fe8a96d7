// What sums and values with gates of types read beside those without: the gate of each block of
// pairs, and the shares of pairs where they fade out at the cut-off.
#pragma once

#include <algorithm>

#include "core/curve/gated_sum.h"
#include "engine/plan/stage.h"

namespace deeptf {

// Shares p of pairs, which follow from the first numbers of their rows; each is 1 where a stage
// does not say what they are.
class PairShares {
 public:
  // `width` is that of the rows.
  PairShares(const StageReader& reader, int64_t width) {
    const Json* share = reader.fields.find("share");
    if (share == nullptr || share->is_null()) return;
    if (width != 4) throw Error("shares of pairs must come from rows of 4 columns");
    const int64_t types = reader.inputs.num_types;
    slope_ = share->at("rcut_smth").number();
    mean_ = reader.constant<double>(*share, "mean", {types, 4});
    stddev_ = reader.constant<double>(*share, "stddev", {types, 4});
  }

  bool fade() const { return mean_.size() > 0; }

  // [p] of pairs with these rows; null where each is 1.
  const double* of(const AtomBlock& block, const double* rows, Values& values) const {
    if (!fade()) return nullptr;
    double* to = values.keep<double>(block.num_pairs);
    for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
      const double left = left_of(block, rows, pair);
      to[pair] = 1 - left * left * left;
    }
    return to;
  }

  // Their derivatives in the first numbers of the rows; null where they have none.
  const double* slopes(const AtomBlock& block, const double* rows, Values& values) const {
    if (!fade()) return nullptr;
    double* to = values.keep<double>(block.num_pairs);
    for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
      const double left = left_of(block, rows, pair);
      to[pair] = 3 * left * left * slope_ * stddev_[4 * int64_t{block.type[block.centre[pair]]}];
    }
    return to;
  }

 private:
  // 1 - rcut_smth s of a pair, or 0.
  double left_of(const AtomBlock& block, const double* rows, int64_t pair) const {
    const int64_t at = 4 * int64_t{block.type[block.centre[pair]]};
    return std::max(0.0, 1 - slope_ * (rows[4 * pair] * stddev_[at] + mean_[at]));
  }

  double slope_ = 0;
  Aligned<double> mean_, stddev_;
};

// Gates h of the blocks of pairs of two types, which multiply the values of nets by 1 + p h.
template <class T>
class TypeGates {
 public:
  TypeGates(const StageReader& reader, int64_t columns, int64_t width) : width_(width) {
    const Json* gate = reader.fields.find("gate");
    if (gate == nullptr || gate->is_null()) return;
    if (columns != 4) throw Error("a sum with gates must take rows of 4 columns");
    const int64_t types = reader.inputs.num_types;
    gate_ = reader.constant<T>("gate", {types, types, width});
  }

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
