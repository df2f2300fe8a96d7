// See pair_order.h.
#include "core/cuda/device.h"
#include "core/cuda/pair_order.h"
#include "core/cuda/primitives.h"
#include "core/geometry/apart.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

// Checks row and types; the keys by which owned atoms are sorted.
struct CheckAtom {
  SortedAtoms atoms;
  int32_t *key, *index;  // [owned]

  __device__ void operator()(int64_t k) const {
    const PairList& list = atoms.list;
    if (k < list.num_centres && list.row[k] > list.row[k + 1]) mark(atoms.wrong);
    if (k == 0 && list.row[0] != 0) mark(atoms.wrong);
    if (k == list.num_centres &&
        (atoms.exact ? list.row[k] != atoms.num_pairs : list.row[k] > atoms.num_pairs)) {
      mark(atoms.wrong);
    }
    if (k >= list.num_all) return;
    const int32_t type = list.atom_type[k];
    if (type >= list.num_types) mark(atoms.wrong);
    if (k >= list.num_owned) return;
    key[k] = type < 0 || type >= atoms.num_centre_types ? list.num_types : type;
    index[k] = static_cast<int32_t>(k);
  }
};

// The pairs of a place; none where its row cannot be read.
struct PairRange {
  int32_t begin, end;
};

__device__ inline PairRange pairs_of_place(const SortedAtoms& atoms, int64_t place) {
  const int32_t* row = atoms.list.row + atoms.atom[place];
  if (row[0] < 0 || row[0] > row[1] || row[1] > atoms.num_pairs) return {0, 0};
  return {row[0], row[1]};
}

// The type of a neighbour that counts; -1: virtual, or none at all.
__device__ inline int32_t type_of(const SortedAtoms& atoms, int32_t neighbor) {
  if (neighbor < 0 || neighbor >= atoms.list.num_all) return -1;
  const int32_t type = atoms.list.atom_type[neighbor];
  return type < atoms.list.num_types ? type : -1;
}

// Adds to counter[type, place] for each lane of a type that counts; returns what the counter was,
// for each lane with the lanes of its type before it.
__device__ inline int32_t count_lanes(const SortedAtoms& atoms, int32_t type, int64_t place,
                                      int32_t* counter) {
  const unsigned lanes = __match_any_sync(kAllLanes, type);
  int32_t* own = counter + std::max(type, 0) * atoms.list.num_owned + place;
  const int32_t before = lanes_before(lanes);
  const int32_t next = type >= 0 ? *own + before : 0;
  __syncwarp();
  if (type >= 0 && before == 0) *own = next + __popc(lanes);
  __syncwarp();
  return next;
}

__global__ void __launch_bounds__(kThreads) count_kernel(SortedAtoms atoms) {
  const int64_t place = warp_index();
  if (place >= atoms.type_start[atoms.list.num_types]) return;
  const PairRange range = pairs_of_place(atoms, place);
  for (int32_t begin = range.begin; begin < range.end; begin += kLanes) {
    const int32_t pair = begin + static_cast<int32_t>(threadIdx.x % kLanes);
    int32_t type = -1;
    if (pair < range.end) {
      const int32_t neighbor = atoms.list.neighbor[pair];
      type = type_of(atoms, neighbor);
      if (neighbor < 0 || neighbor >= atoms.list.num_all) mark(atoms.wrong);
      if (type >= 0) {
        atomicAdd(&atoms.seen[neighbor], 1);
        if (!is_apart(atoms.list.displacement + int64_t{3} * pair)) mark(atoms.wrong);
      }
    }
    count_lanes(atoms, type, place, atoms.count);
  }
}

// What the host must know.
struct Outcome {
  int32_t wrong, num_real, num_sorted;
};

struct Summary {
  SortedAtoms atoms;
  Outcome* outcome;

  DEEPTF_HD void operator()(int64_t) const {
    const PairList& list = atoms.list;
    *outcome = {*atoms.wrong, atoms.type_start[list.num_types],
                atoms.first[list.num_types * list.num_owned]};
  }
};

// Element k of all the counts.
struct WriteCounts {
  SortedAtoms atoms;
  int64_t num_real;
  PairCounts out;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t types = atoms.list.num_types, owned = atoms.list.num_owned;
    if (k < num_real) out.atom_order[k] = atoms.atom[k];
    if (k < num_real * types) {
      const int64_t from = k % types * owned + k / types;
      out.neighbor_count[k] = atoms.count[from];
      out.first_pair[k] = atoms.first[from];
    }
    if (k < types) out.atom_count[k] = atoms.type_start[k + 1] - atoms.type_start[k];
    if (k < types * types) {
      const int32_t* first = atoms.first + k / types * owned;
      const int32_t* start = atoms.type_start + k % types;
      out.pair_count[k] = first[start[1]] - first[start[0]];
    }
    if (k <= atoms.list.num_all) out.pair_row[k] = atoms.row[k];
  }
};

// Uses up `first` and `seen`. The pairs of a neighbour are not yet in order.
__global__ void __launch_bounds__(kThreads) fill_kernel(SortedAtoms atoms, SortedPairs out) {
  const int64_t place = warp_index();
  if (place >= atoms.type_start[atoms.list.num_types]) return;
  const PairRange range = pairs_of_place(atoms, place);
  for (int32_t begin = range.begin; begin < range.end; begin += kLanes) {
    const int32_t pair = begin + static_cast<int32_t>(threadIdx.x % kLanes);
    const int32_t neighbor = pair < range.end ? atoms.list.neighbor[pair] : -1;
    const int32_t type = type_of(atoms, neighbor);
    const int64_t target = count_lanes(atoms, type, place, atoms.first);
    if (type < 0) continue;
    out.centre[target] = atoms.atom[place];
    out.neighbor[target] = neighbor;
    for (int k = 0; k < 3; ++k) {
      out.displacement[3 * target + k] = atoms.list.displacement[int64_t{3} * pair + k];
    }
    const int32_t free = atomicAdd(&atoms.seen[neighbor], -1) - 1;
    out.pair_of[atoms.row[neighbor] + free] = static_cast<int32_t>(target);
  }
}

// Sorts each row; a warp has one.
__global__ void __launch_bounds__(kThreads)
    sort_rows_kernel(int64_t num_rows, const int32_t* row, const int32_t* from, int32_t* to) {
  if (warp_index() >= num_rows) return;
  const int32_t begin = row[warp_index()], end = row[warp_index() + 1];
  for (int32_t k = begin + threadIdx.x % kLanes; k < end; k += kLanes) {
    const int32_t own = from[k];
    int32_t place = begin;
    for (int32_t other = begin; other < end; ++other) place += from[other] < own;
    to[place] = own;
  }
}

}  // namespace

CudaPairSorter::CudaPairSorter(const PairList& list, int64_t num_pairs, const Cuda& cuda)
    : cuda_(cuda), atoms_{} {
  atoms_.list = list;
  atoms_.num_pairs = num_pairs;
  atoms_.exact = true;
  atoms_.num_centre_types = list.num_types;
  if (list.num_owned < 0 || list.num_owned > list.num_centres) report();
  count();
  auto* outcome = cuda.scratch<Outcome>(1);
  for_each(cuda, 1, Summary{atoms_, outcome});
  const Outcome found = on_host(cuda, outcome, 1)[0];
  if (found.wrong != 0) report();
  num_real_ = found.num_real;
  num_sorted_ = found.num_sorted;
}

CudaPairSorter::CudaPairSorter(const PairList& list, int32_t num_centre_types, int64_t num_real,
                               int64_t most_pairs, const Cuda& cuda)
    : cuda_(cuda), atoms_{}, num_real_(num_real), num_sorted_(most_pairs) {
  atoms_.list = list;
  atoms_.num_pairs = most_pairs;
  atoms_.num_centre_types = num_centre_types;
  count();
}

void CudaPairSorter::count() {
  const PairList& list = atoms_.list;
  const int64_t counts = list.num_types * list.num_owned;
  atoms_.atom = cuda_.scratch<int32_t>(list.num_owned);
  atoms_.type_start = cuda_.scratch<int32_t>(list.num_types + 1);
  atoms_.count = cuda_.scratch<int32_t>(counts + 1);
  atoms_.first = cuda_.scratch<int32_t>(counts + 1);
  atoms_.seen = cuda_.scratch<int32_t>(list.num_all + 1);
  atoms_.row = cuda_.scratch<int32_t>(list.num_all + 1);
  atoms_.wrong = cuda_.scratch<int32_t>(1);
  set_zero(cuda_, atoms_.wrong, 1);
  sort_atoms();
  count_pairs();
}

void CudaPairSorter::sort_atoms() {
  const PairList& list = atoms_.list;
  const int64_t owned = list.num_owned;
  int32_t *key = cuda_.scratch<int32_t>(owned), *index = cuda_.scratch<int32_t>(owned);
  auto* sorted = cuda_.scratch<int32_t>(owned);
  for_each(cuda_, std::max(list.num_all, list.num_centres + 1), CheckAtom{atoms_, key, index});
  sort_by_key(cuda_, owned, bits_of(list.num_types), key, sorted, index, atoms_.atom);
  find_starts(cuda_, sorted, owned, list.num_types, atoms_.type_start);
}

void CudaPairSorter::count_pairs() {
  const PairList& list = atoms_.list;
  const int64_t counts = list.num_types * list.num_owned;
  set_zero(cuda_, atoms_.count, counts + 1);
  set_zero(cuda_, atoms_.seen, list.num_all + 1);
  launch(cuda_, blocks_of_warps(list.num_owned, kThreads), kThreads, count_kernel, atoms_);
  exclusive_scan(cuda_, atoms_.count, counts + 1, atoms_.first);
  exclusive_scan(cuda_, atoms_.seen, list.num_all + 1, atoms_.row);
}

void CudaPairSorter::fill(const PairCounts& counts, const SortedPairs& pairs) {
  const int64_t types = atoms_.list.num_types, rows = atoms_.list.num_all;
  for_each(cuda_, std::max({num_real_ * types, types * types, rows + 1}),
           WriteCounts{atoms_, num_real_, counts});
  SortedPairs unordered = pairs;
  unordered.pair_of = cuda_.scratch<int32_t>(num_sorted_);
  launch(cuda_, blocks_of_warps(num_real_, kThreads), kThreads, fill_kernel, atoms_, unordered);
  launch(cuda_, blocks_of_warps(rows, kThreads), kThreads, sort_rows_kernel, rows, atoms_.row,
         unordered.pair_of, pairs.pair_of);
}

// Throws what the CPU says about this list: it names atom, pair and value.
void CudaPairSorter::report() const {
  PairList list = atoms_.list;
  const auto row = on_host(cuda_, list.row, list.num_centres + 1);
  const auto neighbor = on_host(cuda_, list.neighbor, atoms_.num_pairs);
  const auto displacement = on_host(cuda_, list.displacement, 3 * atoms_.num_pairs);
  const auto atom_type = on_host(cuda_, list.atom_type, list.num_all);
  list.row = row.data();
  list.neighbor = neighbor.data();
  list.displacement = displacement.data();
  list.atom_type = atom_type.data();
  check_row_end(list, atoms_.num_pairs);
  PairSorter sorter(list, Context{});
  std::vector<int32_t> index(3 * sorter.num_sorted());
  std::vector<double> sorted(3 * sorter.num_sorted());
  int32_t* out = index.data();
  sorter.fill(Context{},
              {out, out + sorter.num_sorted(), sorted.data(), out + 2 * sorter.num_sorted()});
  throw Error("pairs must be usable, got others on the GPU, not on the CPU");
}

}  // namespace deeptf
