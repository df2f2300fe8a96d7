// The kernel of sums and tangents, with and without gates. A block of four warps has one atom. Its
// threads first find the places of up to 128 terms on the node grid, one each; then every warp
// takes every fourth term, and a lane 16 bytes of columns: the four rows of an interval are read
// once, in whole lines, through the L1 cache, which is the limit. The sums stay in registers.
#pragma once

#include <limits>

#include "core/cuda/curve_terms.h"
#include "core/cuda/gates.h"
#include "core/cuda/outside.h"

namespace deeptf {

// What the kernel adds: terms, which a thread sets, and the gates of a lane. Pair k of a slice
// stands for its empty places where k is the number of its pairs.
template <class T, int W>
struct Sums {
  using Term = deeptf::Term<T, W>;
  static constexpr bool kWithEmpty = true;

  // Returns the place of the term in the table.
  __device__ int32_t set_term(const Slice& slice, int32_t k, Term* term) const {
    if (k == slice.count) {
      const Interval at = place_of(table.segments, slice.curve, slice.empty_x).interval;
      set_empty(slice, at, term);
      return static_cast<int32_t>(table.place(at.node));
    }
    const double* row = rows + int64_t{slice.begin + k} * W;
    const Place at = place_of(table.segments, slice.curve, row[0]);
    if (at.outside && blockIdx.y == 0) outside.note(slice.block, row[0]);
    term->set_place(at.interval);
    term->set_weight(row);
    if (!table.holds(at.interval.node)) term->weight[0] = std::numeric_limits<T>::quiet_NaN();
    return static_cast<int32_t>(table.place(at.interval.node));
  }
  template <int kCount>
  __device__ NoGate gate() const {
    return {};
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  const double* rows;
  FoundOutside outside;
};

template <class T, int W>
struct Tangents {
  using Term = TangentTerm<T, W>;
  static constexpr bool kWithEmpty = false;

  __device__ int32_t set_term(const Slice& slice, int32_t k, Term* term) const {
    const int64_t pair = slice.begin + k;
    const Interval at = place_of(table.segments, slice.curve, rows[pair * W]).interval;
    term->set_place(at);
    term->set_weight(rows + pair * W, direction + pair * W);
    return static_cast<int32_t>(table.place(at.node));
  }
  template <int kCount>
  __device__ NoGate gate() const {
    return {};
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  const double *rows, *direction;
};

// Shared by a block: the terms, then the sums of its warps. Little, since what shared memory takes
// is lost to the L1 cache.
template <class T, class Term>
union SumScratch {
  static constexpr int kColumns = kLanes * Vector<T>::kSize;
  struct {
    Term terms[kThreads];
    int32_t place[kThreads];
  };
  T partial[kWarps][Term::kColumns][kColumns];
};

template <class T, int W, class Term, class Gate>
__device__ inline void add_term(const Term& term, const Gate& gate, const T* node, int64_t padded,
                                T (&total)[W][Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
  T g[kSize] = {}, d[kSize] = {};
  interpolate(term, node, padded, g, d);
#pragma unroll
  for (int c = 0; c < kSize; ++c) gate.weigh(term, c, &g[c], &d[c]);
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int c = 0; c < kSize; ++c) {
      if constexpr (Term::kTangent) {
        total[w][c] += (W == 1 ? 0 : term.weight[w] * g[c]) + term.slope_weight[w] * d[c];
      } else {
        total[w][c] += term.weight[w] * g[c];
      }
    }
  }
}

// sum[atom, w, columns of this block]; blockIdx.y counts blocks of columns.
template <class T, class In>
__global__ void __launch_bounds__(kThreads, 8) sum_kernel(In in, T* sum) {
  using Term = typename In::Term;
  constexpr int W = Term::kColumns, kSize = Vector<T>::kSize;
  constexpr int kColumns = SumScratch<T, Term>::kColumns;
  __shared__ SumScratch<T, Term> shared;
  const int64_t atom = blockIdx.x, width = in.table.width, padded = padded_width<T>(width);
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  const int64_t start = int64_t{blockIdx.y} * kColumns, own = start + lane * kSize;
  auto gate = in.template gate<kSize>();
  T total[W][kSize] = {};
  over_terms(
      in.pairs, atom, In::kWithEmpty,
      [&](const Slice& slice, int32_t k) {
        shared.place[threadIdx.x] = in.set_term(slice, k, &shared.terms[threadIdx.x]);
      },
      [&](int32_t count) {
#pragma unroll 2
        for (int k = warp; k < count && own < padded; k += kWarps) {
          const int64_t row = int64_t{shared.place[k]} * kTableRows<T>;
          gate.turn_to(shared.terms[k], [&](int c) { return own + c; });
          add_term(shared.terms[k], gate, in.table.nodes + row * padded + own, padded, total);
        }
      });
  __syncthreads();
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int c = 0; c < kSize; ++c) shared.partial[warp][w][lane * kSize + c] = total[w][c];
  }
  __syncthreads();
  for (int k = threadIdx.x; k < W * kColumns; k += kThreads) {
    const int w = k / kColumns, column = k % kColumns;
    T all = 0;
    for (int from = 0; from < kWarps; ++from) all += shared.partial[from][w][column];
    if (start + column < width) sum[(atom * W + w) * width + start + column] = all;
  }
}

template <class T, class In>
void launch_sum(const In& in, const Cuda& cuda, T* sum) {
  constexpr int64_t columns = kLanes * Vector<T>::kSize;
  const dim3 grid(static_cast<unsigned>(in.pairs.num_atoms),
                  static_cast<unsigned>((in.table.width + columns - 1) / columns));
  launch(cuda, grid, kThreads, sum_kernel<T, In>, in, sum);
}

// Sums, and what lies outside: in.outside.pairs.
template <class T, class In>
void launch_sum_and_outside(In in, const Cuda& cuda, T* sum) {
  const int64_t types = in.pairs.num_types;
  in.outside.largest = cuda.scratch<unsigned long long>(types * types);
  for_each(cuda, types * types, NothingOutside{in.outside});
  launch_sum(in, cuda, sum);
  for_each(cuda, in.pairs.num_atoms * types, FindClosest{in.pairs, in.rows, in.outside});
}

}  // namespace deeptf
