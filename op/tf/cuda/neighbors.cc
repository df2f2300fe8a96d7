// GPU kernel of the op in tf/neighbors.cc.
#include "tf/neighbors.h"

#include "core/cuda/neighbors.h"
#include "tf/cuda/gpu.h"

namespace deeptf {
namespace {

void pairs(OpKernelContext* context, const NoAttributes&) {
  const NeighborInputs in(context);
  CudaNeighborSearch search(in.frames, in.atoms, in.rcut, Gpu::of(context));
  int32_t* row = output<int32_t>(context, 0, {in.atoms + 1});
  const int64_t number = search.count(row);
  int32_t* neighbor = output<int32_t>(context, 1, {number});
  search.fill(row, number, neighbor, output<double>(context, 2, {number, 3}));
}

}  // namespace

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("NeighborPairs").HostMemory("rcut"),
                        Kernel<NoAttributes, pairs>);

}  // namespace deeptf
