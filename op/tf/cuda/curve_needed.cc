// GPU kernel of the op in tf/curve_needed.cc.
#include "core/cuda/memory.h"
#include "core/cuda/needed_nodes.h"
#include "tf/cuda/gpu.h"
#include "tf/cuda/placed.h"
#include "tf/curve_inputs.h"

namespace deeptf {
namespace {

// `node_row` is read on the host, which has to know how many nodes there are.
void needed(OpKernelContext* context, const SegmentSizes& sizes) {
  const Cuda cuda = Gpu::of(context);
  CurveSegments segments = segments_from(context, 1, sizes);
  if (segments.num_curves < 1) throw Error("`node_row` must have segments, got none");
  const int64_t nodes = segments.num_nodes(), rows = segments.num_curves * segments.number + 1;
  int32_t* node_row = cuda.scratch<int32_t>(rows);
  copy_to_device(cuda, segments.node_row, rows * sizeof(int32_t), node_row);
  segments.node_row = node_row;
  int32_t* needed_row = output<int32_t>(context, 0, {nodes + 1});
  needed_nodes(placed(pairs_from(context, 3), cuda), segments, nodes, cuda,
               data<double>(context->input(0)), needed_row);
}

}  // namespace

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("NeededNodes").HostMemory("node_row"),
                        Kernel<SegmentSizes, needed>);

}  // namespace deeptf
