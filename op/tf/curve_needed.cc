// Binding of NeededNodes; see core/curve/needed.h.
#include "core/curve/needed.h"
#include "tf/curve_inputs.h"

namespace deeptf {
namespace {

void needed(OpKernelContext* context, const SegmentSizes& sizes) {
  const CurvePairs pairs = pairs_from(context, 3);
  const CurveSegments segments = segments_from(context, 1, sizes);
  check_curves(pairs, segments);
  int32_t* needed_row = output<int32_t>(context, 0, {segments.num_nodes() + 1});
  needed_nodes(pairs, segments, context_of(context), data<double>(context->input(0)), needed_row);
}

absl::Status shape_of_needed(InferenceContext* c) {
  TF_RETURN_IF_ERROR(expect_segments(c, 1));
  TF_RETURN_IF_ERROR(expect_pairs(c, 3));
  c->set_output(0, c->UnknownShapeOfRank(1));
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("NeededNodes")
    .Attr("segments: int = 1")
    .Attr("near: int = 0")
    .Input("rows: double")
    .Input("node_row: int32")
    .Input("grid: double")
    .Input("curve: int32")
    .Input("sel: double")
    .Input("empty: double")
    .Input("atom_count: int32")
    .Input("neighbor_count: int32")
    .Output("needed_row: int32")
    .SetShapeFn(shape_of_needed);

REGISTER_KERNEL_BUILDER(Name("NeededNodes").Device(tensorflow::DEVICE_CPU),
                        Kernel<SegmentSizes, needed>);

}  // namespace deeptf
