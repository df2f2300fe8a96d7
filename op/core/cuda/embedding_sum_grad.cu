// The gradient to the rows; see embedding_sum.h. A block of four warps has one atom, and places as
// in embedding_sum.cu; a lane keeps the upper gradients of its columns in registers, and what the
// lanes find for a pair is added by shuffles.
#include <string>

#include "core/cuda/curve_terms.h"
#include "core/cuda/embedding_sum.h"

namespace deeptf {
namespace {

template <class T>
struct RowsGrad {
  PlacedPairs pairs;
  CurveTable<T> table;
  const double* rows;
  const T* upper;
  double* rows_grad;
};

// The upper gradients of an atom, for the columns of one lane; zero beyond the width.
template <class T, int W, int kBlocks>
__device__ inline void load_upper(const T* upper, int64_t width, int lane,
                                  T (&y)[W][kBlocks][Vector<T>::kSize]) {
  constexpr int kSize = Vector<T>::kSize;
#pragma unroll
  for (int w = 0; w < W; ++w) {
#pragma unroll
    for (int b = 0; b < kBlocks; ++b) {
#pragma unroll
      for (int c = 0; c < kSize; ++c) {
        const int64_t column = (b * kLanes + lane) * kSize + c;
        y[w][b][c] = column < width ? upper[w * width + column] : T(0);
      }
    }
  }
}

// What a lane adds to the gradient of one pair, by columns of the row.
template <class T, int W, int kBlocks>
__device__ inline void add_columns(const SlopeTerm<T, W>& term, const T* node, int64_t padded,
                                   int lane, const T (&y)[W][kBlocks][Vector<T>::kSize],
                                   T (&grad)[W]) {
  constexpr int kSize = Vector<T>::kSize;
#pragma unroll
  for (int b = 0; b < kBlocks; ++b) {
    const int64_t column = (b * kLanes + lane) * kSize;
    if (column >= padded) continue;
    T g[kSize] = {}, d[kSize] = {};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const Vector<T> v = load_vector(node + i * padded + column);
#pragma unroll
      for (int c = 0; c < kSize; ++c) {
        g[c] = kRise<T> && i == 0 ? v.at[c] : g[c] + term.value[i] * v.at[c];
        if (!kRise<T> || i > 0) d[c] += term.derivative[i] * v.at[c];
      }
    }
#pragma unroll
    for (int c = 0; c < kSize; ++c) {
      T mixed = 0;
#pragma unroll
      for (int w = 0; w < W; ++w) {
        if (W > 1) grad[w] += g[c] * y[w][b][c];
        mixed += term.weight[w] * y[w][b][c];
      }
      grad[0] += d[c] * mixed;
    }
  }
}

// Rows of pairs that are left out.
template <class T, int W>
__device__ inline void set_unused(const RowsGrad<T>& in, int64_t atom) {
  for (int64_t t = 0; t < in.pairs.num_types; ++t) {
    const Slice slice = slice_of(in.pairs, atom, t);
    if (slice.curve >= 0) continue;
    double* grad = in.rows_grad + int64_t{slice.begin} * W;
    for (int k = threadIdx.x; k < slice.count * W; k += kThreads) grad[k] = 0;
  }
}

// So many blocks share the registers of a multiprocessor, which holds all that a thread keeps.
constexpr int blocks_at_once(int column_blocks) {
  return column_blocks == 1 ? 8 : column_blocks == 2 ? 6 : 4;
}

// rows_grad of the pairs of one atom; kBlocks lanes-full of columns.
template <class T, int W, int kBlocks>
__global__ void __launch_bounds__(kThreads, blocks_at_once(kBlocks)) grad_kernel(RowsGrad<T> in) {
  __shared__ SlopeTerm<T, W> terms[kThreads];
  __shared__ int32_t places[kThreads], pairs[kThreads];
  const int64_t atom = blockIdx.x, width = in.table.width, padded = padded_width<T>(width);
  const int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
  T y[W][kBlocks][Vector<T>::kSize];
  load_upper<T, W, kBlocks>(in.upper + atom * W * width, width, lane, y);
  set_unused<T, W>(in, atom);
  over_terms(
      in.pairs, atom, false,
      [&](const Slice& slice, int32_t k) {
        const int32_t pair = slice.begin + k, mine = threadIdx.x;
        const double* row = in.rows + int64_t{pair} * W;
        const Interval at = place_of(in.table.segments, slice.curve, row[0]).interval;
        terms[mine].set_place(at);
        terms[mine].set_weight(row);
        places[mine] = static_cast<int32_t>(in.table.place(at.node));
        pairs[mine] = pair;
      },
      [&](int32_t count) {
        for (int k = warp; k < count; k += kWarps) {
          const T* node = in.table.nodes + int64_t{places[k]} * kTableRows<T> * padded;
          T grad[W] = {};
          add_columns<T, W, kBlocks>(terms[k], node, padded, lane, y, grad);
          const T one = warp_sums(grad);
          if (lane < W) in.rows_grad[int64_t{pairs[k]} * W + lane] = one;
        }
      });
}

// The widest net in lanes-full of columns.
template <class T>
constexpr int kMostBlocks = kMostColumns / (kLanes * Vector<T>::kSize);

template <int W, int kBlocks, class T>
void launch_grad(const RowsGrad<T>& in, const Cuda& cuda) {
  if constexpr (kBlocks < kMostBlocks<T>) {
    if (in.table.width > kBlocks * kLanes * Vector<T>::kSize) {
      launch_grad<W, kBlocks + 1>(in, cuda);
      return;
    }
  }
  launch(cuda, dim3(static_cast<unsigned>(in.pairs.num_atoms)), kThreads,
         grad_kernel<T, W, kBlocks>, in);
}

}  // namespace

template <class T>
void embedding_sum_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                        const double* rows, const T* upper, double* rows_grad) {
  if (table.width > kMostColumns) {
    throw Error("the width of an embedding net must be at most " + std::to_string(kMostColumns) +
                " on a GPU, got " + std::to_string(table.width));
  }
  const RowsGrad<T> in{pairs, table, rows, upper, rows_grad};
  if (pairs.columns == 1) {
    launch_grad<1, 1>(in, cuda);
  } else {
    launch_grad<4, 1>(in, cuda);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                \
  template void embedding_sum_grad<T>(const PlacedPairs&, const CurveTable<T>&, const Cuda&, \
                                      const double*, const T*, double*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
