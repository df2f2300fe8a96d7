// See by_centre.h.
#include "core/cuda/primitives.h"
#include "engine/cuda/by_centre.h"

namespace deeptf::device {
namespace {

DEEPTF_HD inline bool is_left_out(const PlacedPairs& pairs, int64_t atom, int64_t t) {
  return pairs.curve[t * pairs.num_types + pairs.type[atom]] < 0;
}

struct CountOfCentre {
  PlacedPairs pairs;
  int32_t* count;

  DEEPTF_HD void operator()(int64_t atom) const {
    int32_t sum = 0;
    for (int64_t t = 0; t < pairs.num_types; ++t) {
      if (!is_left_out(pairs, atom, t)) sum += pairs.neighbor_count[atom * pairs.num_types + t];
    }
    count[atom] = sum;
  }
};

// A warp's worth of threads an atom.
struct PlacePairs {
  PlacedPairs pairs;
  const int32_t* first;
  int32_t* pair;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / kLanes;
    int64_t to = first[atom];
    for (int64_t t = 0; t < pairs.num_types; ++t) {
      if (is_left_out(pairs, atom, t)) continue;
      const int32_t begin = pairs.first[t * pairs.num_atoms + atom];
      const int32_t count = pairs.neighbor_count[atom * pairs.num_types + t];
      for (int32_t i = k % kLanes; i < count; i += kLanes) pair[to + i] = begin + i;
      to += count;
    }
  }
};

}  // namespace

ByCentre by_centre(const PlacedPairs& pairs, const Cuda& cuda) {
  auto* count = cuda.scratch<int32_t>(pairs.num_atoms);
  auto* first = cuda.scratch<int32_t>(pairs.num_atoms);
  auto* pair = cuda.scratch<int32_t>(pairs.num_pairs);
  for_each(cuda, pairs.num_atoms, CountOfCentre{pairs, count});
  exclusive_scan(cuda, count, pairs.num_atoms, first);
  for_each(cuda, pairs.num_pairs, Fill<int32_t>{-1, pair});
  for_each(cuda, pairs.num_atoms * kLanes, PlacePairs{pairs, first, pair});
  return {pairs.num_atoms, pairs.num_pairs, count, pair};
}

}  // namespace deeptf::device
