// Gates of types on the values of nets of pairs, on a device.
#pragma once

#include "engine/cuda/by_centre.h"
#include "engine/cuda/gate.h"
#include "engine/cuda/pair_nets.h"

namespace deeptf::device {

// Values and slopes of nets by 1 + p h; the share p has a slope too.
template <class T>
struct GateValues {
  int64_t width;
  const T* gate;         // [T, T, M]
  const int32_t* block;  // [p]
  Shares shares;
  NetValues<T> of;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t pair = k / width;
    if (block[pair] < 0) return;
    const T h = gate[block[pair] * width + k % width];
    const T share = shares.share == nullptr ? T(1) : static_cast<T>(shares.share[pair]);
    const T rise = shares.slope == nullptr ? T(0) : static_cast<T>(shares.slope[pair]);
    const T factor = T(1) + share * h;
    of.slope[k] = factor * of.slope[k] + rise * h * of.value[k];
    of.value[k] *= factor;
  }
};

// The nets of pairs and their gates, if they have any.
template <class T>
class GatedNets {
 public:
  // `columns` is that of the rows that the stage takes.
  GatedNets(const deeptf::PairNets<T>& nets, int64_t columns, const GateConstants<T>& gates)
      : nets_(nets),
        columns_(columns),
        gate_(gates.gate),
        shares_(gates.shares),
        gated_(gates.given()) {}

  int64_t width() const { return nets_.width(); }

  NetValues<T> evaluate(const Block& block, int rows, const int32_t* curve, Values& values) const {
    const int32_t* blocks = blocks_of_pairs(placed_pairs(block, curve), block.cuda);
    const NetValues<T> found = nets_.evaluate(
        block, {block.num_pairs, values.take<T>(rows), columns_, blocks, curve}, values);
    if (!gated_) return found;
    const Shares shares = shares_.of(block, values.take<double>(rows), values, true);
    for_each(block.cuda, block.num_pairs * width(),
             GateValues<T>{width(), gate_.data(), blocks, shares, found});
    return found;
  }

 private:
  PairNets<T> nets_;
  int64_t columns_;
  Constant<T> gate_;
  PairShares shares_;
  bool gated_;
};

}  // namespace deeptf::device
