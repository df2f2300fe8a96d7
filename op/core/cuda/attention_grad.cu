// Gradient of attention; names of nets/attention.cc.
#include "core/cuda/attention.h"
#include "core/cuda/attention_pairs.h"

namespace deeptf {
namespace {

template <class T>
__global__ void __launch_bounds__(kTileThreads, least_blocks<T>(1))
    sums_kernel(AttentionPairs<T> in, const T* upper, RowSums<T>* sums) {
  __shared__ TileMemory<T> memory;
  const auto width = static_cast<int32_t>(in.runs.width);
  over_own_tiles(in.runs, [&](TilePlace at) {
    T sum[2] = {};
    for (; at.other < at.count; at.other += kTile) {
      T score[kOwn] = {}, weight_grad[kOwn] = {}, values[2][kOwn] = {};
      add_dots(memory, at.own_part(in.attended, kQuery, width),
               at.other_part(in.attended, kKey, width), score);
      add_dots(memory, at.own_rows(upper, width), at.other_part(in.attended, kValue, width),
               weight_grad);
#pragma unroll
      for (int index = 0; index < kOwn; ++index) {
        if (!at.has(index)) continue;
        const AttentionPair<T> pair(in, at.own_pair(index), at.other_pair());
        const AttentionTerm<T> term = pair.term(score[index]);
        values[0][index] = term.share;
        if (!pair.left_out()) values[1][index] = weight_grad[index] * term.weight();
      }
      add_sums(values, sum);
    }
    over_own_sums(at, [&](int64_t pair) {
      const T inverse = inverse_sum(in, at.count, sum[0]);
      sums[pair] = {inverse, sum[1] * inverse, 0, 0};
    });
  });
}

// Own pairs are rows j, or columns k.
template <class T, bool kColumns>
__global__ void __launch_bounds__(kTileThreads, least_blocks<T>(1))
    grad_kernel(AttentionPairs<T> in, const T* upper, const RowSums<T>* sums,
                AttentionGrads<T> grad) {
  constexpr Part kMine = kColumns ? kKey : kQuery, kTheirs = kColumns ? kQuery : kKey;
  __shared__ TileMemory<T> memory;
  const auto width = static_cast<int32_t>(in.runs.width);
  over_own_tiles(in.runs, [&](TilePlace at) {
    T sum[4] = {};
    for (; at.other < at.count; at.other += kTile) {
      T score[kOwn] = {}, weight_grad[kOwn] = {}, small[4][kOwn] = {};
      const TileRows<T> theirs = at.other_part(in.attended, kTheirs, width);
      const TileRows<T> above = kColumns ? at.other_rows(upper, width) : at.own_rows(upper, width);
      add_dots(memory, at.own_part(in.attended, kMine, width), theirs, score);
      if constexpr (kColumns) {
        add_dots(memory, at.own_part(in.attended, kValue, width), above, weight_grad);
      } else {
        add_dots(memory, above, at.other_part(in.attended, kValue, width), weight_grad);
      }
#pragma unroll
      for (int index = 0; index < kOwn; ++index) {
        const T z = score[index], w = weight_grad[index];
        score[index] = weight_grad[index] = 0;  // from here on what products take
        if (!at.has(index)) continue;
        const int64_t own = at.own_pair(index), other = at.other_pair();
        const AttentionPair<T> pair(in, kColumns ? other : own, kColumns ? own : other);
        AttentionTerm<T> term = pair.term(z);
        term.share *= sums[pair.j].inverse;
        const auto of_term =
            attention_grad_of(term, pair.lifted(z), pair.left_out() ? T(0) : w, sums[pair.j].mean);
        score[index] = of_term.score;
        if (!pair.left_out()) weight_grad[index] = term.weight();
        small[0][index] = of_term.gate * in.gate[other];
#pragma unroll
        for (int d = 0; d < 3 && in.dotr; ++d) {
          small[1 + d][index] = of_term.cosine * in.direction[3 * other + d];
        }
      }
      add_sums(small, sum);
      add_product(memory, score, theirs, at.part_target(grad.attended, kMine, width));
      if constexpr (kColumns) {
        add_product(memory, weight_grad, above, at.part_target(grad.attended, kValue, width));
      }
    }
    over_own_sums(at, [&](int64_t pair) { put_small<kColumns>(in, pair, sum, grad); });
  });
}

}  // namespace

template <class T>
void attention_grad(const AttentionShape& shape, const Cuda& cuda, const AttentionArrays<T>& in,
                    const T* upper, const AttentionGrads<T>& grad) {
  const UnitInputs<T> unit(shape, cuda, in);
  auto* sums = cuda.scratch<RowSums<T>>(shape.runs.num_pairs);
  const dim3 grid = tile_grid(shape.runs);
  launch(cuda, grid, kTileThreads, sums_kernel<T>, unit.pairs, upper, sums);
  launch(cuda, grid, kTileThreads, grad_kernel<T, false>, unit.pairs, upper, sums, grad);
  launch(cuda, grid, kTileThreads, grad_kernel<T, true>, unit.pairs, upper, sums, grad);
  project(unit.parts, cuda, grad.attended, grad.attended);
  project(unit.directions, cuda, grad.direction, grad.direction);
}

#define DEEPTF_INSTANTIATE(T)                                                                    \
  template void attention_grad<T>(const AttentionShape&, const Cuda&, const AttentionArrays<T>&, \
                                  const T*, const AttentionGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
