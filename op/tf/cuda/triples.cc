// GPU kernels of the ops in tf/triples.cc.
#include "tf/triples.h"

#include "core/cuda/triples.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

inline PlacedTriples placed(const NeighborRuns& runs, const Cuda& cuda) {
  return place_triples(runs, cuda);
}
inline int64_t counted(const PlacedTriples& runs, const Cuda& cuda, int32_t* triple_count) {
  return count_triples(runs, cuda, triple_count);
}

DEEPTF_GPU_KERNEL("TripleProducts", products_of_triples);
DEEPTF_GPU_KERNEL("TripleSums", sums_of_triples);

}  // namespace deeptf
