// What sums with gates of types read beside those without: the gate of each block of pairs, and the
// shares of pairs where gates fade out at the cut-off.
#pragma once

#include <algorithm>

#include "core/curve/gated_sum.h"
#include "engine/plan/stage.h"

namespace deeptf {

template <class T>
class GateOfTypes {
 public:
  GateOfTypes(const StageReader& reader, int64_t columns, int64_t width) : width_(width) {
    if (reader.fields.find("gate") == nullptr) return;
    if (columns != 4) throw Error("a sum with gates must take rows of 4 columns");
    const int64_t types = reader.inputs.num_types;
    gate_ = reader.constant<T>("gate", {types, types, width});
    const Json* share = reader.fields.find("share");
    if (share == nullptr || share->is_null()) return;
    slope_ = share->at("rcut_smth").number();
    mean_ = reader.constant<double>(*share, "mean", {types, 4});
    stddev_ = reader.constant<double>(*share, "stddev", {types, 4});
  }

  bool given() const { return gate_.size() > 0; }
  bool fades() const { return mean_.size() > 0; }
  const T* of_block(int64_t block) const { return gate_.data() + block * width_; }
  Gates<T> gates(const double* shares) const { return {gate_.data(), shares}; }

  // The shares [p] of pairs with these rows; null where each is 1.
  const double* shares(const AtomBlock& block, const double* rows, Values& values) const {
    if (!fades()) return nullptr;
    double* to = values.keep<double>(block.num_pairs);
    for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
      const double left = left_of(block, rows, pair);
      to[pair] = 1 - left * left * left;
    }
    return to;
  }

  // Adds what the gradient in the shares gives to that in the rows.
  template <class R>
  void pull(const AtomBlock& block, const double* rows, const double* share_grad, R* to) const {
    for (int64_t pair = 0; fades() && pair < block.num_pairs; ++pair) {
      const double left = left_of(block, rows, pair);
      const double stddev = stddev_[4 * int64_t{block.type[block.centre[pair]]}];
      to[4 * pair] += static_cast<R>(3 * left * left * slope_ * stddev * share_grad[pair]);
    }
  }

 private:
  // 1 - rcut_smth s of a pair, or 0.
  double left_of(const AtomBlock& block, const double* rows, int64_t pair) const {
    const int64_t at = 4 * int64_t{block.type[block.centre[pair]]};
    return std::max(0.0, 1 - slope_ * (rows[4 * pair] * stddev_[at] + mean_[at]));
  }

  int64_t width_;
  Aligned<T> gate_;
  double slope_ = 0;
  Aligned<double> mean_, stddev_;
};

}  // namespace deeptf
