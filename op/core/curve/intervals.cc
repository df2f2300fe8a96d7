// See intervals.h. Threaded over intervals, the gradient over nodes.
#include "core/curve/intervals.h"

#include <algorithm>

#include "core/curve/sum.h"

namespace deeptf {

void round_intervals(int64_t num_needed, int64_t width, const Context& context, const double* nodes,
                     float* intervals) {
  const int64_t padded = padded_width<double>(width), row = padded_width<float>(width);
  context.parallel(num_needed - 1, 8 * width, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const double *left = nodes + k * 2 * padded, *right = left + 2 * padded;
      float *to = intervals + k * 4 * row, *slope = to + row, *rise = slope + row;
      float* next = rise + row;
      for (int64_t m = 0; m < width; ++m) {
        to[m] = static_cast<float>(left[m]);
        slope[m] = static_cast<float>(left[padded + m]);
        rise[m] = static_cast<float>(right[m] - left[m]);
        next[m] = static_cast<float>(right[padded + m]);
      }
      for (int64_t i = 0; i < 4; ++i) std::fill_n(to + i * row + width, row - width, 0.0F);
    }
  });
}

void round_intervals_grad(int64_t num_needed, int64_t width, const Context& context,
                          const float* intervals_grad, double* nodes_grad) {
  const int64_t padded = padded_width<double>(width), row = padded_width<float>(width);
  context.parallel(num_needed, 8 * width, [&](int64_t begin, int64_t end) {
    for (int64_t node = begin; node < end; ++node) {
      double *value = nodes_grad + node * 2 * padded, *slope = value + padded;
      std::fill_n(value, 2 * padded, 0.0);
      if (node > 0) {  // the interval in front of it
        const float *rise = intervals_grad + ((node - 1) * 4 + 2) * row, *next = rise + row;
        for (int64_t m = 0; m < width; ++m) {
          value[m] = rise[m];
          slope[m] = next[m];
        }
      }
      if (node + 1 < num_needed) {
        const float *from = intervals_grad + node * 4 * row, *rise = from + 2 * row;
        for (int64_t m = 0; m < width; ++m) {
          value[m] += static_cast<double>(from[m]) - static_cast<double>(rise[m]);
          slope[m] += from[row + m];
        }
      }
    }
  });
}

}  // namespace deeptf
