// The gradients to a table; see embedding_sum.h. What pairs and empty places add is sorted by
// interval of the table (stable, so that their order is one), and a block of four warps adds what
// an interval gets; in float64 each node then adds what the two intervals beside it got. No
// atomics.
#include "core/cuda/curve_terms.h"
#include "core/cuda/embedding_sum.h"
#include "core/cuda/primitives.h"

namespace deeptf {
namespace {

constexpr int kShares = 4;                  // columns of a lane
constexpr int kColumns = kShares * kLanes;  // of a block

// A pair, or the empty places of an atom and neighbour type, which come behind the pairs.
struct Entry {
  double u, inverse_step;  // of its interval
  int32_t atom;
};

template <class T>
struct TableGrad {
  PlacedPairs pairs;
  CurveTable<T> table;
  const double *rows, *direction;
  const T* upper;
  const Entry* entries;
  const int32_t *order, *first;  // entries in the order of intervals; the first one of each
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
    entries[entry] = {at.u, at.inverse_step, static_cast<int32_t>(atom)};
  }
};

template <class T, int W>
__device__ inline void set_term(const TableGrad<T>& in, int32_t number, Term<T, W>* term) {
  const Entry& entry = in.entries[number];
  term->set_place({0, entry.u, entry.inverse_step});
  if (number < in.pairs.num_pairs) {
    term->set_weight(in.rows + int64_t{number} * W);
    return;
  }
  const int64_t slice = number - in.pairs.num_pairs;
  const double weight =
      slice_of(in.pairs, slice % in.pairs.num_atoms, slice / in.pairs.num_atoms).empty_weight;
  for (int w = 0; w < W; ++w) term->weight[w] = w == 0 ? static_cast<T>(weight) : 0;
}

template <class T, int W>
__device__ inline void set_term(const TableGrad<T>& in, int32_t number, TangentTerm<T, W>* term) {
  const Entry& entry = in.entries[number];
  term->set_place({0, entry.u, entry.inverse_step});
  term->set_weight(in.rows + int64_t{number} * W, in.direction + int64_t{number} * W);
}

// y [W] of one column times weights.
template <class T, int W>
__device__ inline T weighted(const T* y, int64_t width, const T* weight) {
  T sum = 0;
#pragma unroll
  for (int w = 0; w < W; ++w) sum += weight[w] * y[w * width];
  return sum;
}

template <class T, int W>
__device__ inline void add_term(const Term<T, W>& term, const T* y, int64_t width, T (&total)[4]) {
  const T u = weighted<T, W>(y, width, term.weight);
#pragma unroll
  for (int i = 0; i < 4; ++i) total[i] += term.value[i] * u;
}

template <class T, int W>
__device__ inline void add_term(const TangentTerm<T, W>& term, const T* y, int64_t width,
                                T (&total)[4]) {
  const T u = W == 1 ? T(0) : weighted<T, W>(y, width, term.weight);
  const T slope = weighted<T, W>(y, width, term.slope_weight);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (W > 1) total[i] += term.value[i] * u;
    total[i] += term.derivative[i] * slope;
  }
}

template <class T, class Term>
union TableScratch {
  struct {
    Term terms[kThreads];
    int32_t atoms[kThreads];
  };
  T partial[kWarps][4][kColumns];
};

// sums[interval, 4, columns of this block]; blockIdx.y counts blocks of columns.
template <class T, int W, class Term>
__global__ void __launch_bounds__(kThreads) interval_kernel(TableGrad<T> in, T* sums) {
  __shared__ TableScratch<T, Term> shared;
  const int64_t interval = blockIdx.x, width = in.table.width, padded = padded_width<T>(width);
  const int64_t end = in.first[interval + 1], start = int64_t{blockIdx.y} * kColumns;
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  T total[kShares][4] = {};
  for (int64_t base = in.first[interval]; base < end; base += kThreads) {
    __syncthreads();
    if (base + threadIdx.x < end) {
      const int32_t number = in.order[base + threadIdx.x];
      shared.atoms[threadIdx.x] = in.entries[number].atom;
      set_term(in, number, &shared.terms[threadIdx.x]);
    }
    __syncthreads();
    const int count = end - base < kThreads ? static_cast<int>(end - base) : kThreads;
    for (int k = warp; k < count; k += kWarps) {
      const T* y = in.upper + int64_t{shared.atoms[k]} * W * width + start + lane;
#pragma unroll
      for (int share = 0; share < kShares; ++share) {
        if (start + share * kLanes + lane >= width) continue;
        add_term(shared.terms[k], y + share * kLanes, width, total[share]);
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
  for (int k = threadIdx.x; k < 4 * kColumns; k += kThreads) {
    const int i = k / kColumns, column = k % kColumns;
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

// Sorts the entries by interval.
template <class T>
void place_entries(const Cuda& cuda, bool with_empty, TableGrad<T>* in) {
  const int64_t slices = in->pairs.num_atoms * in->pairs.num_types;
  const int64_t count = in->pairs.num_pairs + (with_empty ? slices : 0);
  const int64_t intervals = in->table.num_needed - 1;
  auto* entries = cuda.scratch<Entry>(count);
  auto *keys = cuda.scratch<int32_t>(count), *numbers = cuda.scratch<int32_t>(count);
  auto *sorted = cuda.scratch<int32_t>(count), *order = cuda.scratch<int32_t>(count);
  auto* first = cuda.scratch<int32_t>(intervals + 1);
  for_each(cuda, slices * kLanes,
           FillEntries<T>{in->pairs, in->table, in->rows, with_empty, entries, keys, numbers});
  if (count > 0) sort_by_key(cuda, count, bits_of(intervals), keys, sorted, numbers, order);
  find_starts(cuda, sorted, count, intervals, first);
  in->entries = entries;
  in->order = order;
  in->first = first;
}

template <class T, int W, class Term>
void table_grad(const TableGrad<T>& in, const Cuda& cuda, T* nodes_grad) {
  const int64_t intervals = in.table.num_needed - 1, padded = padded_width<T>(in.table.width);
  T* sums = kRise<T> ? nodes_grad : cuda.scratch<T>(intervals * 4 * padded);
  const dim3 grid(static_cast<unsigned>(intervals),
                  static_cast<unsigned>((in.table.width + kColumns - 1) / kColumns));
  launch(cuda, grid, kThreads, interval_kernel<T, W, Term>, in, sums);
  if constexpr (!kRise<T>) {
    for_each(cuda, in.table.num_needed * 2 * padded,
             AddAtNodes{intervals, 2 * padded, sums, nodes_grad});
  }
}

}  // namespace

template <class T>
void embedding_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                          const double* rows, const T* upper, T* nodes_grad) {
  TableGrad<T> in{pairs, table, rows, nullptr, upper, nullptr, nullptr, nullptr};
  place_entries(cuda, true, &in);
  if (pairs.columns == 1) {
    table_grad<T, 1, Term<T, 1>>(in, cuda, nodes_grad);
  } else {
    table_grad<T, 4, Term<T, 4>>(in, cuda, nodes_grad);
  }
}

template <class T>
void embedding_tangent_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table,
                                  const Cuda& cuda, const double* rows, const double* direction,
                                  const T* upper, T* nodes_grad) {
  TableGrad<T> in{pairs, table, rows, direction, upper, nullptr, nullptr, nullptr};
  place_entries(cuda, false, &in);
  if (pairs.columns == 1) {
    table_grad<T, 1, TangentTerm<T, 1>>(in, cuda, nodes_grad);
  } else {
    table_grad<T, 4, TangentTerm<T, 4>>(in, cuda, nodes_grad);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void embedding_table_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&, \
                                        const double*, const T*, T*);                          \
  template void embedding_tangent_table_grad<T>(const PlacedPairs&, const CurveTable<T>&,      \
                                                const Cuda&, const double*, const double*,     \
                                                const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
