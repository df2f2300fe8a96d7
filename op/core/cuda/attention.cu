// See attention.h and attention_pairs.h. With e = (e_jk) the exponentials of a row, out_j = (sum_k
// e_jk g_jk c_jk v^_k) / sum: so one pass is enough.
#include "core/cuda/attention.h"
#include "core/cuda/attention_pairs.h"

namespace deeptf {
namespace {

template <class T>
__global__ void __launch_bounds__(kTileThreads, least_blocks<T>(0))
    attention_kernel(AttentionPairs<T> in, T* out) {
  __shared__ TileMemory<T> memory;
  const auto width = static_cast<int32_t>(in.runs.width);
  over_own_tiles(in.runs, [&](TilePlace at) {
    T sum[1] = {};
    for (; at.other < at.count; at.other += kTile) {
      T weight[kOwn] = {}, exponential[1][kOwn] = {};
      add_dots(memory, at.own_part(in.attended, kQuery, width),
               at.other_part(in.attended, kKey, width), weight);
#pragma unroll
      for (int index = 0; index < kOwn; ++index) {
        const T score = weight[index];
        weight[index] = 0;
        if (!at.has(index)) continue;
        const AttentionPair<T> pair(in, at.own_pair(index), at.other_pair());
        const AttentionTerm<T> term = pair.term(score);
        exponential[0][index] = term.share;
        if (!pair.left_out()) weight[index] = term.weight();
      }
      add_sums(exponential, sum);
      add_product(memory, weight, at.other_part(in.attended, kValue, width), at.target(out, width));
    }
#pragma unroll
    for (int index = 0; index < kOwn; ++index) {
      const T inverse = inverse_sum(in, at.count, __shfl_sync(kAllLanes, sum[0], index));
      if (!at.has_own(index)) continue;
      T* row = out + at.own_pair(index) * width;  // what this thread has written
      for (int64_t k = tile_lane(); k < width; k += kLanes) row[k] *= inverse;
    }
  });
}

}  // namespace

template <class T>
void attention(const AttentionShape& shape, const Cuda& cuda, const AttentionArrays<T>& in,
               T* out) {
  const UnitInputs<T> unit(shape, cuda, in);
  launch(cuda, tile_grid(shape.runs), kTileThreads, attention_kernel<T>, unit.pairs, out);
}

#define DEEPTF_INSTANTIATE(T) \
  template void attention<T>(const AttentionShape&, const Cuda&, const AttentionArrays<T>&, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
