// What the kernels of gated_sum.h share: rows of gates that whole lanes may be read from.
#pragma once

#include <algorithm>

#include "core/curve/gated_sum.h"
#include "core/curve/layout.h"

namespace deeptf {

constexpr int kGatedColumns = 4;  // W of the rows

template <class T>
class PaddedGates {
 public:
  PaddedGates(const CurvePairs& pairs, int64_t width, const Gates<T>& gates, const Context& context)
      : padded_(padded_width<T>(width)),
        blocks_(pairs.num_types * pairs.num_types),
        gates_(gates),
        rows_((blocks_ + 1) * padded_) {
    context.parallel(blocks_, width, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        T* row = rows_.data() + block * padded_;
        std::fill_n(std::copy_n(gates.gate + block * width, width, row), padded_ - width, T(0));
      }
    });
    std::fill_n(rows_.data() + blocks_ * padded_, padded_, T(0));
  }

  const T* of_block(int64_t block) const { return rows_.data() + block * padded_; }
  const T* none() const { return of_block(blocks_); }  // zeros
  T share(int64_t pair) const { return gates_.share_of(pair); }

 private:
  int64_t padded_, blocks_;
  Gates<T> gates_;
  Scratch<T> rows_;
};

}  // namespace deeptf
