// See needed_nodes.h. Threads mark intervals in whatever order; what is marked does not depend on
// it.
#include "core/cuda/curve_terms.h"
#include "core/cuda/needed_nodes.h"
#include "core/cuda/primitives.h"

namespace deeptf {
namespace {

struct SetFirst {
  int32_t* used;  // whether the interval that begins at each node is; that of the first node always

  DEEPTF_HD void operator()(int64_t node) const { used[node] = node == 0 ? 1 : 0; }
};

// A warp's worth of threads a slice.
struct Mark {
  PlacedPairs pairs;
  CurveSegments segments;
  const double* rows;
  int32_t* used;

  __device__ void operator()(int64_t k) const {
    const int64_t number = k / kLanes, atom = number % pairs.num_atoms;
    const Slice slice = slice_of(pairs, atom, number / pairs.num_atoms);
    if (slice.curve < 0) return;
    for (int64_t i = k % kLanes; i < slice.count; i += kLanes) {
      use(slice, rows[(slice.begin + i) * pairs.columns]);
    }
    if (k % kLanes == 0 && slice.empty_weight != 0) use(slice, slice.empty_x);
  }

 private:
  __device__ void use(const Slice& slice, double x) const {
    mark(used + place_of(segments, slice.curve, x).interval.node);
  }
};

// A node is needed where an interval beside it is used.
struct Need {
  int64_t num_nodes;
  const int32_t* used;
  int32_t* needed;  // [num_nodes + 1]

  DEEPTF_HD void operator()(int64_t node) const {
    const bool own = node < num_nodes && used[node] != 0;
    needed[node] = own || (node > 0 && node < num_nodes && used[node - 1] != 0) ? 1 : 0;
  }
};

}  // namespace

void needed_nodes(const PlacedPairs& pairs, const CurveSegments& segments, int64_t num_nodes,
                  const Cuda& cuda, const double* rows, int32_t* needed_row) {
  auto* used = cuda.scratch<int32_t>(num_nodes);
  for_each(cuda, num_nodes, SetFirst{used});
  for_each(cuda, pairs.num_atoms * pairs.num_types * kLanes, Mark{pairs, segments, rows, used});
  for_each(cuda, num_nodes + 1, Need{num_nodes, used, needed_row});
  exclusive_scan(cuda, needed_row, num_nodes + 1, needed_row);
}

}  // namespace deeptf
