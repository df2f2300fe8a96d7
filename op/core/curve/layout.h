// What the kernels of sum.h share: where the pairs of an atom lie, their places on the
// grids of the tables, and a loop over atoms.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/base/scratch.h"
#include "core/curve/hermite.h"
#include "core/curve/sum.h"

namespace deeptf {

// Where the pairs of every (atom, neighbour type) begin, and places on the grids.
class Layout {
 public:
  Layout(const CurvePairs& pairs, const CurveSegments& segments)
      : pairs_(pairs),
        segments_(segments),
        first_(pairs.num_atoms * pairs.num_types),
        type_(pairs.num_atoms),
        stretches_(2 * segments.num_curves),
        inverse_step_(segments.num_curves * segments.number) {
    const int64_t types = pairs.num_types;
    for (int64_t c = 0, atom = 0; c < types; ++c) {
      for (int32_t k = 0; k < pairs.atom_count[c]; ++k) type_[atom++] = static_cast<int32_t>(c);
    }
    int64_t pair = 0;
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < pairs.num_atoms; ++atom) {
        first_[atom * types + t] = pair;
        pair += pairs.neighbor_count[atom * types + t];
      }
    }
    for (int64_t k = 0; k < inverse_step_.size(); ++k) {
      inverse_step_[k] = 1 / segments.grid[2 * k + 1];
    }
    for (int64_t c = 0; c < segments.num_curves; ++c) {
      stretches_[2 * c] = data_stretch(segments, c);
      stretches_[2 * c + 1] = near_stretch(segments, c);
    }
  }

  int64_t first(int64_t atom, int64_t t) const { return first_[atom * pairs_.num_types + t]; }
  int64_t count(int64_t atom, int64_t t) const {
    return pairs_.neighbor_count[atom * pairs_.num_types + t];
  }
  // The block of the pairs of `atom` with neighbours of type t, and its curve; -1: none.
  int64_t block(int64_t atom, int64_t t) const { return t * pairs_.num_types + type_[atom]; }
  int32_t curve(int64_t atom, int64_t t) const { return pairs_.curve[block(atom, t)]; }
  // The end of the range of the data of a curve.
  double limit(int32_t curve) const { return stretches_[2 * curve].end; }
  Interval interval(int32_t curve, double x) const {
    const Stretch& part = stretches_[2 * curve + (x > limit(curve) ? 1 : 0)];
    const int64_t segment = part.segment_at(x);
    return interval_in(segments_, segment, inverse_step_[segment], x);
  }
  double empty_x(int64_t atom, int64_t t) const { return pairs_.empty[block(atom, t)]; }
  // The radial weight of all empty places of one atom and neighbour type together.
  double empty_weight(int64_t atom, int64_t t) const {
    return pairs_.empty_weight(block(atom, t), pairs_.neighbor_count[atom * pairs_.num_types + t]);
  }

 private:
  CurvePairs pairs_;
  CurveSegments segments_;
  Scratch<int64_t> first_;
  Scratch<int32_t> type_;
  Scratch<Stretch> stretches_;    // of each curve: the range of the data, and beyond it
  Scratch<double> inverse_step_;  // of the nodes of each segment
};

// Calls body with a constant for the number of columns of the rows.
template <class Body>
void with_columns(const CurvePairs& pairs, const Body& body) {
  if (pairs.columns == 1) {
    body(std::integral_constant<int, 1>());
  } else {
    body(std::integral_constant<int, 4>());
  }
}

// The weight of a pair in each column of the sums.
template <int W, class T>
void set_weight(const double* row, T* weight) {
  if constexpr (W == 1) {
    weight[0] = 1;
  } else {
    std::copy_n(row, W, weight);
  }
}

// Copies W rows [M] of an atom into rows of padded width; the padding becomes zero.
template <int W, class T>
void pad_rows(const T* from, int64_t width, T* to) {
  const int64_t padded = padded_width<T>(width);
  for (int w = 0; w < W; ++w, from += width, to += padded) {
    std::fill_n(std::copy_n(from, width, to), padded - width, T(0));
  }
}

// Calls body(atom) for every atom, each time with the same scratch of a thread.
template <class Body>
void over_atoms(const CurvePairs& pairs, int64_t width, const Context& context,
                const Body& make_body) {
  const int64_t terms = pairs.num_pairs / std::max<int64_t>(1, pairs.num_atoms) + pairs.num_types;
  context.parallel(pairs.num_atoms, 100 + terms * width * 3, [&](int64_t begin, int64_t end) {
    auto body = make_body();
    for (int64_t atom = begin; atom < end; ++atom) body(atom);
  });
}

}  // namespace deeptf
