// The kernels of gradients to a table, with and without gates. What pairs and empty places add is
// sorted by interval of the table (stable, so that their order is one), and a block of four warps
// adds what an interval gets; in float64 each node then adds what the two intervals beside it got.
// No atomics.
#pragma once

#include "core/cuda/curve_terms.h"
#include "core/cuda/gates.h"
#include "core/cuda/primitives.h"

namespace deeptf {

constexpr int kShares = 4;                       // columns of a lane
constexpr int kTableColumns = kShares * kLanes;  // of a block

// A pair, or the empty places of an atom and neighbour type, which come behind the pairs.
struct Entry {
  double u, inverse_step;  // of its interval
  int32_t atom, block;
};

// The entries in the order of intervals, and the first one of each.
struct SortedEntries {
  const Entry* entries;
  const int32_t *order, *first;
};

// Entries, their intervals as keys to sort by, and their numbers. A warp's worth of threads a
// slice.
template <class T>
struct FillEntries {
  PlacedPairs pairs;
  CurveTable<T> table;
  const double* rows;
  bool with_empty;
  Entry* entries;
  int32_t *keys, *numbers;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t number = k / kLanes, atom = number % pairs.num_atoms;
    const Slice slice = slice_of(pairs, atom, number / pairs.num_atoms);
    for (int64_t i = k % kLanes; i < slice.count; i += kLanes) {
      const int64_t pair = slice.begin + i;
      set(pair, slice, rows[pair * pairs.columns], true, atom);
    }
    if (with_empty && k % kLanes == 0) {
      set(pairs.num_pairs + number, slice, slice.empty_x, slice.empty_weight != 0, atom);
    }
  }

 private:
  DEEPTF_HD void set(int64_t entry, const Slice& slice, double x, bool used, int64_t atom) const {
    numbers[entry] = static_cast<int32_t>(entry);
    keys[entry] = static_cast<int32_t>(table.num_needed - 1);  // behind all intervals
    if (slice.curve < 0 || !used) return;
    const Interval at = place_of(table.segments, slice.curve, x).interval;
    keys[entry] = static_cast<int32_t>(table.place(at.node));
    entries[entry] = {at.u, at.inverse_step, static_cast<int32_t>(atom),
                      static_cast<int32_t>(slice.block)};
  }
};

// What the kernel adds: terms, which a thread sets, and the gates of a lane.
template <class T, int W>
struct TableGrad {
  using Term = deeptf::Term<T, W>;
  static constexpr bool kWithEmpty = true;

  __device__ void set_term(int32_t number, Term* term) const {
    const Entry& entry = sorted.entries[number];
    const Interval at{0, entry.u, entry.inverse_step};
    if (number < pairs.num_pairs) {
      term->set_place(at);
      term->set_weight(rows + int64_t{number} * W);
      return;
    }
    const int64_t slice = number - pairs.num_pairs;
    set_empty(slice_of(pairs, slice % pairs.num_atoms, slice / pairs.num_atoms), at, term);
  }
  template <int kCount>
  __device__ NoGate gate() const {
    return {};
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  const double* rows;
  const T* upper;
  SortedEntries sorted;
};

template <class T, int W>
struct TangentTableGrad {
  using Term = TangentTerm<T, W>;
  static constexpr bool kWithEmpty = false;

  __device__ void set_term(int32_t number, Term* term) const {
    const Entry& entry = sorted.entries[number];
    term->set_place({0, entry.u, entry.inverse_step});
    term->set_weight(rows + int64_t{number} * W, direction + int64_t{number} * W);
  }
  template <int kCount>
  __device__ NoGate gate() const {
    return {};
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  const double *rows, *direction;
  const T* upper;
  SortedEntries sorted;
};

// y [W] of one column times weights.
template <class T, int W>
__device__ inline T weighted(const T* y, int64_t width, const T* weight) {
  T sum = 0;
#pragma unroll
  for (int w = 0; w < W; ++w) sum += weight[w] * y[w * width];
  return sum;
}

// Adds what the four numbers of an interval get for column k of a lane.
template <class T, class Term, class Gate>
__device__ inline void add_entry(const Term& term, const Gate& gate, int k, const T* y,
                                 int64_t width, T (&total)[4]) {
  constexpr int W = Term::kColumns;
  constexpr bool kValue = W > 1 || !Term::kTangent;
  T u = kValue ? weighted<T, W>(y, width, term.weight) : T(0), v = 0;
  if constexpr (Term::kTangent) v = weighted<T, W>(y, width, term.slope_weight);
  gate.weigh_back(term, k, &u, &v);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (kValue) total[i] += term.value[i] * u;
    if constexpr (Term::kTangent) total[i] += term.derivative[i] * v;
  }
}

template <class T, class Term>
union TableScratch {
  struct {
    Term terms[kThreads];
    int32_t atoms[kThreads];
  };
  T partial[kWarps][4][kTableColumns];
};

// sums[interval, 4, columns of this block]; blockIdx.y counts blocks of columns.
template <class T, class In>
__global__ void __launch_bounds__(kThreads) interval_kernel(In in, T* sums) {
  using Term = typename In::Term;
  constexpr int W = Term::kColumns;
  __shared__ TableScratch<T, Term> shared;
  const int64_t interval = blockIdx.x, width = in.table.width, padded = padded_width<T>(width);
  const int64_t end = in.sorted.first[interval + 1], start = int64_t{blockIdx.y} * kTableColumns;
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  auto gate = in.template gate<kShares>();
  T total[kShares][4] = {};
  for (int64_t base = in.sorted.first[interval]; base < end; base += kThreads) {
    __syncthreads();
    if (base + threadIdx.x < end) {
      const int32_t number = in.sorted.order[base + threadIdx.x];
      shared.atoms[threadIdx.x] = in.sorted.entries[number].atom;
      in.set_term(number, &shared.terms[threadIdx.x]);
    }
    __syncthreads();
    const int count = end - base < kThreads ? static_cast<int>(end - base) : kThreads;
    for (int k = warp; k < count; k += kWarps) {
      const T* y = in.upper + int64_t{shared.atoms[k]} * W * width + start + lane;
      gate.turn_to(shared.terms[k], [&](int share) { return start + share * kLanes + lane; });
#pragma unroll
      for (int share = 0; share < kShares; ++share) {
        if (start + share * kLanes + lane >= width) continue;
        add_entry(shared.terms[k], gate, share, y + share * kLanes, width, total[share]);
      }
    }
  }
  __syncthreads();
#pragma unroll
  for (int share = 0; share < kShares; ++share) {
#pragma unroll
    for (int i = 0; i < 4; ++i) shared.partial[warp][i][share * kLanes + lane] = total[share][i];
  }
  __syncthreads();
  for (int k = threadIdx.x; k < 4 * kTableColumns; k += kThreads) {
    const int i = k / kTableColumns, column = k % kTableColumns;
    T all = 0;
    for (int from = 0; from < kWarps; ++from) all += shared.partial[from][i][column];
    if (start + column < padded) sums[(interval * 4 + i) * padded + start + column] = all;
  }
}

// A node is the right one of the interval before it and the left one of its own.
struct AddAtNodes {
  int64_t last, row;   // node; numbers of a node
  const double* sums;  // [last, 2 row]
  double* nodes_grad;  // [last + 1, row]

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t node = k / row, at = k % row;
    const double left = node > 0 ? sums[(2 * node - 1) * row + at] : 0;
    nodes_grad[k] = left + (node < last ? sums[2 * node * row + at] : 0);
  }
};

template <class T>
SortedEntries sort_entries(const PlacedPairs& pairs, const CurveTable<T>& table, const double* rows,
                           bool with_empty, const Cuda& cuda) {
  const int64_t slices = pairs.num_atoms * pairs.num_types, intervals = table.num_needed - 1;
  const int64_t count = pairs.num_pairs + (with_empty ? slices : 0);
  auto* entries = cuda.scratch<Entry>(count);
  auto *keys = cuda.scratch<int32_t>(count), *numbers = cuda.scratch<int32_t>(count);
  auto *sorted = cuda.scratch<int32_t>(count), *order = cuda.scratch<int32_t>(count);
  auto* first = cuda.scratch<int32_t>(intervals + 1);
  for_each(cuda, slices * kLanes,
           FillEntries<T>{pairs, table, rows, with_empty, entries, keys, numbers});
  if (count > 0) sort_by_key(cuda, count, bits_of(intervals), keys, sorted, numbers, order);
  find_starts(cuda, sorted, count, intervals, first);
  return {entries, order, first};
}

template <class T, class In>
void launch_table_grad(In in, const Cuda& cuda, T* nodes_grad) {
  const int64_t intervals = in.table.num_needed - 1, padded = padded_width<T>(in.table.width);
  in.sorted = sort_entries(in.pairs, in.table, in.rows, In::kWithEmpty, cuda);
  T* sums = kRise<T> ? nodes_grad : cuda.scratch<T>(intervals * 4 * padded);
  const dim3 grid(static_cast<unsigned>(intervals),
                  static_cast<unsigned>((in.table.width + kTableColumns - 1) / kTableColumns));
  launch(cuda, grid, kThreads, interval_kernel<T, In>, in, sums);
  if constexpr (!kRise<T>) {
    for_each(cuda, in.table.num_needed * 2 * padded,
             AddAtNodes{intervals, 2 * padded, sums, nodes_grad});
  }
}

}  // namespace deeptf
