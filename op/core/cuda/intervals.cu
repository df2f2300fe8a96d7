// See intervals.h. One thread a column of an interval, or of a node.
#include "core/cuda/device.h"
#include "core/cuda/intervals.h"
#include "core/curve/sum.h"

namespace deeptf {
namespace {

struct Round {
  int64_t width, padded, row;  // `row` is the padded width in float32
  const double* nodes;
  float* intervals;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t interval = k / row, m = k % row;
    float* to = intervals + interval * 4 * row + m;
    float numbers[4] = {};
    if (m < width) {
      const double *left = nodes + interval * 2 * padded + m, *right = left + 2 * padded;
      numbers[0] = static_cast<float>(left[0]);
      numbers[1] = static_cast<float>(left[padded]);
      numbers[2] = static_cast<float>(right[0] - left[0]);
      numbers[3] = static_cast<float>(right[padded]);
    }
    for (int i = 0; i < 4; ++i) to[i * row] = numbers[i];
  }
};

struct RoundGrad {
  int64_t num_needed, width, padded, row;
  const float* intervals_grad;
  double* nodes_grad;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t node = k / padded, m = k % padded;
    double value = 0, slope = 0;
    if (node > 0 && m < width) {  // the interval in front of it
      const float* from = intervals_grad + (node - 1) * 4 * row + m;
      value = from[2 * row];
      slope = from[3 * row];
    }
    if (node + 1 < num_needed && m < width) {
      const float* from = intervals_grad + node * 4 * row + m;
      value += static_cast<double>(from[0]) - static_cast<double>(from[2 * row]);
      slope += from[row];
    }
    nodes_grad[node * 2 * padded + m] = value;
    nodes_grad[(node * 2 + 1) * padded + m] = slope;
  }
};

}  // namespace

void round_intervals(int64_t num_needed, int64_t width, const Cuda& cuda, const double* nodes,
                     float* intervals) {
  const int64_t row = padded_width<float>(width);
  for_each(cuda, (num_needed - 1) * row,
           Round{width, padded_width<double>(width), row, nodes, intervals});
}

void round_intervals_grad(int64_t num_needed, int64_t width, const Cuda& cuda,
                          const float* intervals_grad, double* nodes_grad) {
  const int64_t padded = padded_width<double>(width);
  for_each(
      cuda, num_needed * padded,
      RoundGrad{num_needed, width, padded, padded_width<float>(width), intervals_grad, nodes_grad});
}

}  // namespace deeptf
