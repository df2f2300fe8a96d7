// The op RoundIntervals and its CPU kernel.
#include "tf/round_intervals.h"

namespace deeptf {
namespace {

absl::Status shape_of_intervals(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect(c, 0, {-1, 2, -1}));
  int64_t width;
  TF_RETURN_IF_ERROR(c->GetAttr("width", &width));
  DimensionHandle intervals;
  TF_RETURN_IF_ERROR(c->Subtract(c->Dim(c->input(0), 0), 1, &intervals));
  c->set_output(0,
                c->MakeShape({intervals, c->MakeDim(4), c->MakeDim(padded_width<float>(width))}));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("RoundIntervals")
    .Attr("width: int")
    .Input("nodes: double")
    .Output("intervals: float")
    .SetShapeFn(shape_of_intervals);
REGISTER_KERNEL_BUILDER(Name("RoundIntervals").Device(tensorflow::DEVICE_CPU),
                        Kernel<IntervalWidth, rounded_intervals<Cpu>>);

}  // namespace deeptf
