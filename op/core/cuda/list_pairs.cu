// See list_pairs.h. A warp has a centre and looks at 32 entries of its list at a time. Compiled
// without contraction of a*b+c, so that counting and filling agree on every pair at the cut-off.
#include "core/cuda/device.h"
#include "core/cuda/list_pairs.h"
#include "core/cuda/pair_rows.h"
#include "core/geometry/apart.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

// An entry of a list.
struct Entry {
  int32_t neighbor;
  bool known, near;
  double d[3];  // of one that is known and no virtual atom
};

__device__ inline Entry entry_of(const NeighborLists& lists, int64_t centre, int32_t place) {
  Entry entry{lists.neighbor[place], false, false, {0, 0, 0}};
  entry.known = entry.neighbor >= 0 && entry.neighbor < lists.num_all;
  if (!entry.known || lists.atom_type[entry.neighbor] < 0) return entry;
  const double *from = lists.coord + 3 * centre, *to = lists.coord + int64_t{3} * entry.neighbor;
  for (int k = 0; k < 3; ++k) entry.d[k] = to[k] - from[k];
  const double square = entry.d[0] * entry.d[0] + entry.d[1] * entry.d[1] + entry.d[2] * entry.d[2];
  entry.near = !(square >= lists.rcut * lists.rcut);  // numbers that are none too
  return entry;
}

// Calls use(entry, its lanes that are near) for the entries of a warp's centre, whole warps at a
// time; lanes behind the list have an entry that is not near.
template <class Use>
__device__ void over_entries(const NeighborLists& lists, int64_t centre, const Use& use) {
  const int32_t type = lists.atom_type[centre];
  if (type < 0 || type >= lists.num_centre_types) return;
  const int32_t end = lists.row[centre + 1];
  for (int32_t begin = lists.row[centre]; begin < end; begin += kLanes) {
    const int32_t place = begin + static_cast<int32_t>(threadIdx.x % kLanes);
    Entry entry{-1, true, false, {0, 0, 0}};
    if (place < end) entry = entry_of(lists, centre, place);
    use(entry, __ballot_sync(kAllLanes, entry.near));
  }
}

__global__ void __launch_bounds__(kThreads)
    count_kernel(NeighborLists lists, int32_t* counts, int32_t* wrong) {
  const int64_t centre = warp_index();
  if (centre >= lists.num_owned) return;
  int32_t total = 0;
  over_entries(lists, centre, [&](const Entry& entry, unsigned near) {
    total += __popc(near);
    if (!entry.known || (entry.near && !is_apart(entry.d))) mark(wrong);
  });
  if (threadIdx.x % kLanes == 0) counts[centre] = total;
}

__global__ void __launch_bounds__(kThreads)
    fill_kernel(NeighborLists lists, const int32_t* row, int64_t num_pairs, int32_t* neighbor,
                double* displacement) {
  const int64_t centre = warp_index();
  if (centre >= lists.num_owned) return;
  int64_t next = row[centre];
  over_entries(lists, centre, [&](const Entry& entry, unsigned near) {
    const int64_t pair = next + lanes_before(near);
    next += __popc(near);
    if (!entry.near || pair >= num_pairs) return;
    neighbor[pair] = entry.neighbor;
    for (int k = 0; k < 3; ++k) displacement[3 * pair + k] = entry.d[k];
  });
}

}  // namespace

void count_list_pairs(const NeighborLists& lists, const Cuda& cuda, int32_t* row,
                      SearchOutcome* outcome) {
  auto* wrong = cuda.scratch<int32_t>(1);
  set_zero(cuda, wrong, 1);
  set_zero(cuda, row, lists.num_centres + 1);
  launch(cuda, blocks_of_warps(lists.num_owned, kThreads), kThreads, count_kernel, lists, row,
         wrong);
  finish_row(cuda, lists.num_centres, wrong, row, outcome);
}

void fill_list_pairs(const NeighborLists& lists, const Cuda& cuda, const int32_t* row,
                     int64_t num_pairs, int32_t* neighbor, double* displacement) {
  launch(cuda, blocks_of_warps(lists.num_owned, kThreads), kThreads, fill_kernel, lists, row,
         num_pairs, neighbor, displacement);
}

}  // namespace deeptf
