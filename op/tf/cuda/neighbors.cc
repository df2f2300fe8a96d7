// GPU kernel of the op in tf/neighbors.cc.
#include "core/cuda/neighbors.h"

#include "tf/cuda/gpu.h"

namespace deeptf {
namespace {

void pairs(OpKernelContext* context, const NoAttributes&) {
  const Tensor& coord = input(context, 0, "coord", {-1, 3});
  const int64_t atoms = coord.dim_size(0);
  const Tensor& cell = input(context, 1, "cell", {-1, 3, 3});
  const Frames frames{
      cell.dim_size(0),
      data<int32_t>(input(context, 3, "frame_row", {cell.dim_size(0) + 1})),
      data<double>(coord),
      data<double>(cell),
      data<int32_t>(input(context, 2, "atom_type", {atoms})),
  };
  const double rcut = *data<double>(input(context, 4, "rcut", {}));
  CudaNeighborSearch search(frames, atoms, rcut, Gpu::of(context));
  int32_t* row = output<int32_t>(context, 0, {atoms + 1});
  const int64_t number = search.count(row);
  int32_t* neighbor = output<int32_t>(context, 1, {number});
  search.fill(row, number, neighbor, output<double>(context, 2, {number, 3}));
}

}  // namespace

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("NeighborPairs").HostMemory("rcut"),
                        Kernel<NoAttributes, pairs>);

}  // namespace deeptf
