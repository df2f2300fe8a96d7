// Pairs of a device one behind the other for each centre, as sums over all neighbours of a centre
// take them (core/moments/runs.h), and the way back to their own order.
#pragma once

#include "core/cuda/curve_pairs.h"
#include "core/moments/runs.h"
#include "engine/cuda/stage.h"

namespace deeptf::device {

// All pairs of a block, for stages that have nets by curve [T, T] and no tables.
inline PlacedPairs placed_pairs(const Block& block, const int32_t* curve) {
  const CurvePairs pairs{block.num_atoms,  block.num_pairs,      block.num_types, 0,
                         block.atom_count, block.neighbor_count, curve,           nullptr,
                         nullptr};
  return {pairs, block.first, block.type};
}

// What pairs have by centre; those whose blocks have no net are left out.
struct ByCentre {
  int64_t num_atoms, num_pairs;
  const int32_t* count;  // [n]
  const int32_t* pair;   // [p] which of the sorted ones; -1 behind the last one

  Runs runs(int64_t columns, int64_t width) const {
    return {num_atoms, num_pairs, columns, width, count};
  }
};

// In the memory of the step.
ByCentre by_centre(const PlacedPairs& pairs, const Cuda& cuda);

// to [p, width] by centre; zero behind the last pair.
template <class T>
struct Gather {
  ByCentre order;
  int64_t width;
  const T* from;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t pair = order.pair[k / width];
    to[k] = pair < 0 ? T(0) : from[pair * width + k % width];
  }
};

template <class T>
T* gathered(const Block& block, const ByCentre& order, int64_t width, const T* from,
            const Values& values) {
  T* to = values.keep<T>(order.num_pairs * width);
  for_each(block.cuda, order.num_pairs * width, Gather<T>{order, width, from, to});
  return to;
}

template <class T>
struct Scatter {
  ByCentre order;
  int64_t width;
  const T* from;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t pair = order.pair[k / width];
    if (pair >= 0) to[pair * width + k % width] = from[k];
  }
};

// Adds gradients by centre to those of a value of all pairs.
template <class T>
void scatter(const Block& block, const ByCentre& order, int64_t width, int value, const T* from,
             Values& values) {
  values.add_gradient<T>(value, [&](T* to) {
    set_zero(block.cuda, to, order.num_pairs * width);
    for_each(block.cuda, order.num_pairs * width, Scatter<T>{order, width, from, to});
  });
}

}  // namespace deeptf::device
