// What the binding of RoundIntervals does on any device; see core/curve/intervals.h.
#pragma once

#include "core/curve/intervals.h"
#include "core/curve/sum.h"
#include "tf/binding.h"

namespace deeptf {

struct IntervalWidth {
  explicit IntervalWidth(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
    OP_REQUIRES(context, width > 0, absl::InvalidArgumentError("`width` must be positive"));
  }
  int64_t width = 1;
};

template <class Device>
void rounded_intervals(OpKernelContext* context, const IntervalWidth& attributes) {
  const int64_t width = attributes.width;
  const Tensor& nodes = input(context, 0, "nodes", {-1, 2, padded_width<double>(width)});
  const int64_t number = nodes.dim_size(0);
  if (number < 2) throw Error("`nodes` must be two or more");
  float* intervals = output<float>(context, 0, {number - 1, 4, padded_width<float>(width)});
  round_intervals(number, width, Device::of(context), data<double>(nodes), intervals);
}

}  // namespace deeptf
