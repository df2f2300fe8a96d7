// See triples.h. A warp has a neighbour j of a centre and its lanes are the others, k; some blocks
// share the neighbours of a centre, whose rows stay in the L1 cache. Sums over k are made by
// shuffles, so a neighbour has all it gets from one warp: no atomics.
#include <limits>

#include "core/cuda/device.h"
#include "core/cuda/primitives.h"
#include "core/cuda/triples.h"
#include "core/geometry/triple.h"

namespace deeptf {
namespace {

constexpr int kWarps = 4, kThreads = kWarps * kLanes;
constexpr unsigned kParts = 4;  // blocks that share the neighbours of a centre

DEEPTF_HD inline int64_t count_of(const NeighborRuns& runs, int64_t atom, int64_t t) {
  return runs.neighbor_count[atom * runs.num_types + t];
}

// Blocks of two different neighbours: T'.
DEEPTF_HD inline int64_t two_blocks(const NeighborRuns& runs) {
  return runs.num_types * (runs.num_types + 1) / 2;
}

// The block of neighbours of types s and t >= s.
DEEPTF_HD inline int64_t block_of(const NeighborRuns& runs, int64_t s, int64_t t) {
  return s * runs.num_types - s * (s - 1) / 2 + t - s;
}

// Triples of a centre in one of the T' + T blocks.
DEEPTF_HD inline int64_t triples_of(const NeighborRuns& runs, int64_t atom, int64_t block) {
  int64_t s = 0, t = block - two_blocks(runs);
  if (t >= 0) return count_of(runs, atom, t);
  for (; block >= runs.num_types - s; ++s) block -= runs.num_types - s;
  t = s + block;
  return triples_in_block(count_of(runs, atom, s), count_of(runs, atom, t), s == t);
}

// pair [T n + 1] and triple [T' n + 1] before they are summed; both end with a zero.
struct CountBefore {
  NeighborRuns runs;
  int32_t *pair, *triple, *wrong;

  __device__ void operator()(int64_t k) const {
    const int64_t n = runs.num_atoms, pairs = runs.num_types * n, triples = two_blocks(runs) * n;
    if (k <= pairs) {
      const int64_t count = k < pairs ? count_of(runs, k % n, k / n) : 0;
      if (count < 0) mark(wrong);
      pair[k] = static_cast<int32_t>(count);
    }
    if (k <= triples) {
      const int64_t count = k < triples ? triples_of(runs, k % n, k / n) : 0;
      if (count > std::numeric_limits<int32_t>::max()) mark(wrong);
      triple[k] = static_cast<int32_t>(count);
    }
  }
};

struct WriteCounts {
  PlacedTriples runs;
  int32_t* triple_count;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t blocks = runs.num_blocks();
    const int64_t count = runs.has_room() ? triples_of(runs, k / blocks, k % blocks) : 0;
    triple_count[k] = static_cast<int32_t>(count);
  }
};

struct Found {
  int64_t pairs, triples;  // the latter of two different neighbours
  int32_t wrong;
};

struct Summary {
  PlacedTriples runs;
  Found* found;

  DEEPTF_HD void operator()(int64_t) const {
    *found = {runs.pair[runs.num_types * runs.num_atoms], runs.of_two(), *runs.wrong};
  }
};

// The neighbours of a centre that have one type.
struct Neighbors {
  int64_t begin, count;  // pairs
};

DEEPTF_HD inline Neighbors neighbors_of(const PlacedTriples& runs, int64_t atom, int64_t t) {
  return {runs.pair[t * runs.num_atoms + atom], count_of(runs, atom, t)};
}

// Where the triples of neighbour j of type s and those of type t are. That with k of them is at
// first + k step, and among those of one type, where s is t, at that of (smaller, larger).
struct Line {
  int64_t first, step, count;  // count: of neighbours of type s and t, where they are the same

  DEEPTF_HD int64_t at(int64_t j, int64_t k) const {
    if (count < 0) return first + k * step;
    const int64_t one = j < k ? j : k, other = j < k ? k : j;
    return first + one * (2 * count - one - 1) / 2 + other - one - 1;
  }
};

DEEPTF_HD inline Line line_of(const PlacedTriples& runs, int64_t atom, int64_t s, int64_t t,
                              int64_t j) {
  const int64_t block = s < t ? block_of(runs, s, t) : block_of(runs, t, s);
  const int64_t first = runs.triple[block * runs.num_atoms + atom];
  if (s == t) return {first, 0, count_of(runs, atom, s)};
  if (s < t) return {first + j * count_of(runs, atom, t), 1, -1};
  return {first + j, count_of(runs, atom, s), -1};
}

// Calls body(s, j) for the neighbours of the atom of this block that are this warp's.
template <class Body>
__device__ inline void over_neighbors(const PlacedTriples& runs, const Body& body) {
  const int64_t atom = blockIdx.x;
  int64_t j = int64_t{blockIdx.y} * kWarps + threadIdx.x / kLanes;
  for (int64_t s = 0; s < runs.num_types; ++s) {
    const int64_t count = count_of(runs, atom, s);
    for (; j < count; j += int64_t{gridDim.y} * kWarps) body(s, j);
    j -= count;
  }
}

// The product of neighbour j of type s with itself and with those that come after it.
__global__ void __launch_bounds__(kThreads)
    triple_product_kernel(PlacedTriples runs, const double* a, const double* b, double* products) {
  if (!runs.has_room()) return;
  const int64_t atom = blockIdx.x, lane = threadIdx.x % kLanes;
  const int64_t alone = runs.of_two();
  over_neighbors(runs, [&](int64_t s, int64_t j) {
    const int64_t pair = neighbors_of(runs, atom, s).begin + j;
    if (lane == 0) products[alone + pair] = triple_product(a, b, pair, pair);
    for (int64_t t = s; t < runs.num_types; ++t) {
      const Neighbors others = neighbors_of(runs, atom, t);
      const Line line = line_of(runs, atom, s, t, j);
      for (int64_t k = (s == t ? j + 1 : 0) + lane; k < others.count; k += kLanes) {
        products[line.at(j, k)] = triple_product(a, b, pair, others.begin + k);
      }
    }
  });
}

// What neighbour j of type s gets from all triples that it is in.
__global__ void __launch_bounds__(kThreads)
    triple_sum_kernel(PlacedTriples runs, const double* b, const double* upper, double* sums) {
  if (!runs.has_room()) return;
  const int64_t atom = blockIdx.x, lane = threadIdx.x % kLanes;
  const int64_t alone = runs.of_two();
  over_neighbors(runs, [&](int64_t s, int64_t j) {
    const int64_t pair = neighbors_of(runs, atom, s).begin + j;
    double values[kTripleRow] = {};
    for (int64_t t = 0; t < runs.num_types; ++t) {
      const Neighbors others = neighbors_of(runs, atom, t);
      const Line line = line_of(runs, atom, s, t, j);
      for (int64_t k = lane; k < others.count; k += kLanes) {
        const int64_t other = others.begin + k;
        const double y = other == pair ? upper[alone + pair] : upper[line.at(j, k)] / 2;
        for (int w = 1; w < kTripleRow; ++w) values[w] += y * b[other * kTripleRow + w];
      }
    }
    const double sum = warp_sums(values);
    if (lane < kTripleRow) sums[pair * kTripleRow + lane] = sum;
  });
}

// Throws what the CPU says about these counts.
[[noreturn]] void report(const PlacedTriples& runs, const Cuda& cuda) {
  const auto neighbor_count = on_host(cuda, runs.neighbor_count, runs.num_atoms * runs.num_types);
  NeighborRuns on_cpu = runs;
  on_cpu.neighbor_count = neighbor_count.data();
  std::vector<int32_t> triple_count(runs.num_atoms * runs.num_blocks());
  count_triples(on_cpu, triple_count.data());
  throw Error("`neighbor_count` must be usable, got another one on the GPU, not on the CPU");
}

}  // namespace

PlacedTriples place_triples(const NeighborRuns& runs, const Cuda& cuda, int64_t room) {
  const int64_t pairs = runs.num_types * runs.num_atoms + 1;
  const int64_t triples = two_blocks(runs) * runs.num_atoms + 1;
  auto *pair_count = cuda.scratch<int32_t>(pairs), *triple_count = cuda.scratch<int32_t>(triples);
  auto *pair = cuda.scratch<int64_t>(pairs), *triple = cuda.scratch<int64_t>(triples);
  auto* wrong = cuda.scratch<int32_t>(1);
  set_zero(cuda, wrong, 1);
  for_each(cuda, std::max(pairs, triples), CountBefore{runs, pair_count, triple_count, wrong});
  exclusive_scan(cuda, pair_count, pairs, pair);
  exclusive_scan(cuda, triple_count, triples, triple);
  return {runs, pair, triple, wrong, room};
}

void fill_triple_counts(const PlacedTriples& runs, const Cuda& cuda, int32_t* triple_count) {
  for_each(cuda, runs.num_atoms * runs.num_blocks(), WriteCounts{runs, triple_count});
}

int64_t count_triples(const PlacedTriples& runs, const Cuda& cuda, int32_t* triple_count) {
  auto* on_device = cuda.scratch<Found>(1);
  for_each(cuda, 1, Summary{runs, on_device});
  fill_triple_counts(runs, cuda, triple_count);
  const Found found = on_host(cuda, on_device, 1)[0];
  const int64_t triples = found.triples + found.pairs;
  if (found.wrong != 0 || found.pairs != runs.num_pairs || triples > kMostTriples) {
    report(runs, cuda);
  }
  return triples;
}

void triple_products(const PlacedTriples& runs, const Cuda& cuda, const double* a, const double* b,
                     double* products) {
  launch(cuda, dim3(static_cast<unsigned>(runs.num_atoms), kParts), kThreads, triple_product_kernel,
         runs, a, b, products);
}

void triple_sums(const PlacedTriples& runs, const Cuda& cuda, const double* b, const double* upper,
                 double* sums) {
  launch(cuda, dim3(static_cast<unsigned>(runs.num_atoms), kParts), kThreads, triple_sum_kernel,
         runs, b, upper, sums);
}

}  // namespace deeptf
