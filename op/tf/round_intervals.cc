// Binding of RoundIntervals; see core/curve/intervals.h.
#include "core/curve/intervals.h"
#include "core/curve/sum.h"
#include "tf/binding.h"

namespace deeptf {
namespace {

struct Width {
  explicit Width(OpKernelConstruction* context) {
    OP_REQUIRES_OK(context, context->GetAttr("width", &width));
    OP_REQUIRES(context, width > 0, absl::InvalidArgumentError("`width` must be positive"));
  }
  int64_t width = 1;
};

void round(OpKernelContext* context, const Width& attributes) {
  const int64_t width = attributes.width;
  const Tensor& nodes = input(context, 0, "nodes", {-1, 2, padded_width<double>(width)});
  const int64_t number = nodes.dim_size(0);
  if (number < 2) throw Error("`nodes` must be two or more");
  float* intervals = output<float>(context, 0, {number - 1, 4, padded_width<float>(width)});
  round_intervals(number, width, context_of(context), data<double>(nodes), intervals);
}

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
                        Kernel<Width, round>);

}  // namespace deeptf
