// See curve_pairs.h.
#include "core/cuda/curve_pairs.h"
#include "core/cuda/device.h"
#include "core/cuda/primitives.h"

namespace deeptf {
namespace {

// count [T, n] and type [n] from neighbor_count [n, T] and atom_count [T].
struct CountByType {
  CurvePairs pairs;
  int32_t *count, *type;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t t = k / pairs.num_atoms, atom = k % pairs.num_atoms;
    count[k] = pairs.neighbor_count[atom * pairs.num_types + t];
    if (t > 0) return;
    int32_t own = 0;
    for (int64_t end = pairs.atom_count[0]; atom >= end; end += pairs.atom_count[own]) ++own;
    type[atom] = own;
  }
};

}  // namespace

PlacedPairs place_pairs(const CurvePairs& pairs, const Cuda& cuda) {
  const int64_t count = pairs.num_atoms * pairs.num_types;
  auto* first = cuda.scratch<int32_t>(count);
  auto* type = cuda.scratch<int32_t>(pairs.num_atoms);
  for_each(cuda, count, CountByType{pairs, first, type});
  if (count > 0) exclusive_scan(cuda, first, count, first);
  return {pairs, first, type};
}

}  // namespace deeptf
