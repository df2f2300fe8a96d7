// The kernel of gradients to the rows, and to shares of gates. A block of four warps has one atom,
// and places as in sum_kernel.h; a lane keeps the upper gradients of its columns in registers, and
// what the lanes find for a pair is added by shuffles.
#pragma once

#include <string>

#include "core/cuda/curve_terms.h"
#include "core/cuda/embedding_sum.h"
#include "core/cuda/gates.h"

namespace deeptf {

// What the kernel takes: a term of each pair, which a thread sets, and the gates of a lane. A warp
// gives kSums numbers of a pair to set_grad, one by lane.
template <class T, int W>
struct RowsGrad {
  using Term = SlopeTerm<T, W>;
  static constexpr int kSums = W;
  static constexpr bool kGated = false;

  // Returns the place of the term in the table.
  __device__ int32_t set_term(const Slice& slice, int32_t k, Term* term) const {
    const double* row = rows + int64_t{slice.begin + k} * W;
    const Interval at = place_of(table.segments, slice.curve, row[0]).interval;
    term->set_place(at);
    term->set_weight(row);
    return static_cast<int32_t>(table.place(at.node));
  }
  template <int kCount>
  __device__ NoGate gate() const {
    return {};
  }
  __device__ void set_grad(int64_t pair, int sum, T value) const {
    if (sum < W) rows_grad[pair * W + sum] = value;
  }
  __device__ void set_unused(int64_t pair) const {
    for (int w = 0; w < W; ++w) rows_grad[pair * W + w] = 0;
  }

  PlacedPairs pairs;
  CurveTable<T> table;
  const double* rows;
  const T* upper;
  double* rows_grad;
};

// What a lane adds to the gradient of one pair: by columns of the row, then to its share.
template <class T, int W, int kBlocks, class Term, class Gate, int kSums>
__device__ inline void add_columns(const Term& term, const Gate& gate, const T* node,
                                   int64_t padded, const T (&y)[W][kBlocks][Vector<T>::kSize],
                                   T (&grad)[kSums]) {
  constexpr int kSize = Vector<T>::kSize;
#pragma unroll
  for (int b = 0; b < kBlocks; ++b) {
    const int64_t column = (b * kLanes + threadIdx.x % kLanes) * kSize;
    if (column >= padded) continue;
    T g[kSize] = {}, d[kSize] = {};
    interpolate(term, node + column, padded, g, d);
#pragma unroll
    for (int c = 0; c < kSize; ++c) {
      T mixed = 0;
#pragma unroll
      for (int w = 0; w < W; ++w) mixed += term.weight[w] * y[w][b][c];
      if constexpr (kSums > W) grad[W] += gate.gate(b * kSize + c) * g[c] * mixed;
      gate.weigh(term, b * kSize + c, &g[c], &d[c]);
#pragma unroll
      for (int w = 0; w < W; ++w) {
        if (W > 1) grad[w] += g[c] * y[w][b][c];
      }
      grad[0] += d[c] * mixed;
    }
  }
}

// Pairs that are left out.
template <class In>
__device__ inline void set_unused(const In& in, int64_t atom) {
  for (int64_t t = 0; t < in.pairs.num_types; ++t) {
    const Slice slice = slice_of(in.pairs, atom, t);
    if (slice.curve >= 0) continue;
    for (int k = threadIdx.x; k < slice.count; k += kThreads) in.set_unused(slice.begin + k);
  }
}

// So many blocks share the registers of a multiprocessor, which holds all that a thread keeps; in
// float64 gates are too much for as many blocks as without.
template <class T, class In>
constexpr int blocks_at_once(int column_blocks) {
  const int blocks = column_blocks == 1 ? 8 : column_blocks == 2 ? 6 : 4;
  return In::kGated && sizeof(T) == 8 ? blocks - 1 : blocks;
}

// The gradients of the pairs of one atom; kBlocks lanes-full of columns.
template <class T, int kBlocks, class In>
__global__ void __launch_bounds__(kThreads, (blocks_at_once<T, In>(kBlocks))) grad_kernel(In in) {
  using Term = typename In::Term;
  constexpr int W = Term::kColumns, kSize = Vector<T>::kSize;
  __shared__ Term terms[kThreads];
  __shared__ int32_t places[kThreads], pairs[kThreads];
  const int64_t atom = blockIdx.x, width = in.table.width, padded = padded_width<T>(width);
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  T y[W][kBlocks][kSize];
  load_upper<T, W, kBlocks>(in.upper + atom * W * width, width, 0, y);
  auto gate = in.template gate<kBlocks * kSize>();
  set_unused(in, atom);
  over_terms(
      in.pairs, atom, false,
      [&](const Slice& slice, int32_t k) {
        const int mine = threadIdx.x;
        places[mine] = in.set_term(slice, k, &terms[mine]);
        pairs[mine] = slice.begin + k;
      },
      [&](int32_t count) {
        for (int k = warp; k < count; k += kWarps) {
          const T* node = in.table.nodes + int64_t{places[k]} * kTableRows<T> * padded;
          gate.turn_to(terms[k],
                       [&](int i) { return (i / kSize * kLanes + lane) * kSize + i % kSize; });
          T grad[In::kSums] = {};
          add_columns<T, W, kBlocks>(terms[k], gate, node, padded, y, grad);
          const T one = warp_sums(grad);
          if (lane < In::kSums) in.set_grad(pairs[k], lane, one);
        }
      });
}

// The widest net in lanes-full of columns.
template <class T>
constexpr int kMostBlocks = kMostColumns / (kLanes * Vector<T>::kSize);

// Throws Error for a net that is wider.
template <class T, int kBlocks = 1, class In>
void launch_grad(const In& in, const Cuda& cuda) {
  const int64_t width = in.table.width;
  if (width > kMostColumns) {
    throw Error("the width of an embedding net must be at most " + std::to_string(kMostColumns) +
                " on a GPU, got " + std::to_string(width));
  }
  if constexpr (kBlocks < kMostBlocks<T>) {
    if (width > kBlocks * kLanes * Vector<T>::kSize) {
      launch_grad<T, kBlocks + 1>(in, cuda);
      return;
    }
  }
  launch(cuda, dim3(static_cast<unsigned>(in.pairs.num_atoms)), kThreads,
         grad_kernel<T, kBlocks, In>, in);
}

}  // namespace deeptf
