// The inputs of NeighborPairs, for all devices; see core/geometry/neighbors.h.
#pragma once

#include "core/geometry/neighbors.h"
#include "tf/binding.h"

namespace deeptf {

struct NeighborInputs {
  explicit NeighborInputs(OpKernelContext* context) {
    const Tensor& coord = input(context, 0, "coord", {-1, 3});
    const Tensor& cell = input(context, 1, "cell", {-1, 3, 3});
    atoms = coord.dim_size(0);
    frames = {cell.dim_size(0),
              data<int32_t>(input(context, 3, "frame_row", {cell.dim_size(0) + 1})),
              data<double>(coord), data<double>(cell),
              data<int32_t>(input(context, 2, "atom_type", {atoms}))};
    rcut = *data<double>(input(context, 4, "rcut", {}));
  }

  int64_t atoms;  // N
  Frames frames;
  double rcut;  // on the host
};

}  // namespace deeptf
