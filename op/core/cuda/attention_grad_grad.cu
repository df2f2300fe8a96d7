// Second derivatives of attention; names of nets/attention_grad_grad.cc.
#include "core/cuda/attention.h"
#include "core/cuda/attention_pairs.h"

namespace deeptf {
namespace {

// How the inputs change: parts and directions of unit length.
template <class T>
struct Moving {
  AttentionPairs<T> in;
  AttentionArrays<T> by;
  const T* upper;
};

// What a thread has of the matrices Z, W_ and their changes.
template <class T>
struct Planes {
  T score[kOwn], score_change[kOwn], weight_grad[kOwn], weight_grad_change[kOwn];
};

// Own pairs are rows j, or columns k.
template <bool kColumns, class T>
__device__ inline Planes<T> planes_of(TileMemory<T>& memory, const Moving<T>& moving,
                                      const TilePlace& at) {
  constexpr Part kMine = kColumns ? kKey : kQuery, kTheirs = kColumns ? kQuery : kKey;
  const T *old = moving.in.attended, *change = moving.by.attended;
  const auto width = static_cast<int32_t>(moving.in.runs.width);
  Planes<T> planes{};
  const TileRows<T> mine = at.own_part(old, kMine, width);
  const TileRows<T> theirs = at.other_part(old, kTheirs, width);
  add_dots(memory, mine, theirs, planes.score);
  add_dots(memory, at.own_part(change, kMine, width), theirs, planes.score_change);
  add_dots(memory, mine, at.other_part(change, kTheirs, width), planes.score_change);
  if constexpr (kColumns) {
    const TileRows<T> above = at.other_rows(moving.upper, width);
    add_dots(memory, at.own_part(old, kValue, width), above, planes.weight_grad);
    add_dots(memory, at.own_part(change, kValue, width), above, planes.weight_grad_change);
  } else {
    const TileRows<T> above = at.own_rows(moving.upper, width);
    add_dots(memory, above, at.other_part(old, kValue, width), planes.weight_grad);
    add_dots(memory, above, at.other_part(change, kValue, width), planes.weight_grad_change);
  }
  return planes;
}

// The term of a pair and how it changes, but for the shares.
template <class T>
struct MovingTerm {
  __device__ MovingTerm(const Moving<T>& moving, const AttentionPair<T>& pair, T score,
                        T score_change)
      : term(pair.term(score)), change{0, 0, 0} {
    const AttentionPairs<T>& in = moving.in;
    const T *p = in.gate, *dp = moving.by.gate, *d = in.direction, *dd = moving.by.direction;
    if (in.smooth) change.gate = dp[pair.j] * p[pair.k] + p[pair.j] * dp[pair.k];
    if (in.dotr) change.cosine = pair.dot(dd, d) + pair.dot(d, dd);
    logit_change = score_change * term.scale + pair.lifted(score) * change.gate;
  }

  __device__ void set_share(const RowSums<T>& sums) {
    term.share *= sums.inverse;
    change.share = term.share * (logit_change - sums.rate);
  }

  AttentionTerm<T> term;  // e^l for the share at first
  AttentionTermChange<T> change;
  T logit_change;
};

template <class T>
__global__ void __launch_bounds__(kTileThreads, least_blocks<T>(2))
    changed_sums_kernel(Moving<T> moving, RowSums<T>* sums) {
  __shared__ TileMemory<T> memory;
  over_own_tiles(moving.in.runs, [&](TilePlace at) {
    T sum[5] = {};  // e, e l., e g c W_, that times l., e (g c W_).
    for (; at.other < at.count; at.other += kTile) {
      const Planes<T> planes = planes_of<false>(memory, moving, at);
      T values[5][kOwn] = {};
#pragma unroll
      for (int index = 0; index < kOwn; ++index) {
        if (!at.has(index)) continue;
        const AttentionPair<T> pair(moving.in, at.own_pair(index), at.other_pair());
        const MovingTerm<T> at_pair(moving, pair, planes.score[index], planes.score_change[index]);
        const AttentionTerm<T>& term = at_pair.term;
        values[0][index] = term.share;
        values[1][index] = term.share * at_pair.logit_change;
        if (pair.left_out()) continue;
        const T w = planes.weight_grad[index];
        values[2][index] = w * term.weight();
        values[3][index] = w * term.weight() * at_pair.logit_change;
        values[4][index] = term.share * (planes.weight_grad_change[index] * term.both() +
                                         w * at_pair.change.both(term));
      }
      add_sums(values, sum);
    }
    over_own_sums(at, [&](int64_t pair) {
      const T inverse = inverse_sum(moving.in, at.count, sum[0]);
      const T rate = sum[1] * inverse, mean = sum[2] * inverse;
      sums[pair] = {inverse, mean, rate, (sum[3] + sum[4]) * inverse - rate * mean};
    });
  });
}

// What is found: `along` [p, 3] and `along_direction` [p] are those of UnitRows::project_changed.
template <class T>
struct Found {
  T* upper_grad;
  AttentionGrads<T> second;
  T *along, *along_direction;
};

// Replaces Z, Z., W_, W_. by Z_, Z_., W, W.; adds what is summed up: changes of the gradients of
// gate and direction, and z z_, w W_.
template <bool kColumns, class T>
__device__ inline void turn(const Moving<T>& moving, const RowSums<T>* sums, const TilePlace& at,
                            Planes<T>& planes, T (&values)[6][kOwn]) {
  const AttentionPairs<T>& in = moving.in;
#pragma unroll
  for (int index = 0; index < kOwn; ++index) {
    const T z = planes.score[index], dz = planes.score_change[index];
    T w = planes.weight_grad[index], dw = planes.weight_grad_change[index];
    planes.score[index] = planes.score_change[index] = 0;
    planes.weight_grad[index] = planes.weight_grad_change[index] = 0;
    if (!at.has(index)) continue;
    const int64_t own = at.own_pair(index), other = at.other_pair();
    const AttentionPair<T> pair(in, kColumns ? other : own, kColumns ? own : other);
    const RowSums<T> of_row = sums[pair.j];
    MovingTerm<T> both(moving, pair, z, dz);
    both.set_share(of_row);
    if (pair.left_out()) w = dw = 0;
    const T lifted = pair.lifted(z);
    const auto grad = attention_grad_of(both.term, lifted, w, of_row.mean);
    const auto change = attention_grad_change(both.term, both.change, lifted, w, of_row.mean,
                                              {dz, dw, of_row.mean_change});
    planes.score[index] = grad.score;
    planes.score_change[index] = change.score;
    if (!pair.left_out()) {
      planes.weight_grad[index] = both.term.weight();
      planes.weight_grad_change[index] = both.change.weight(both.term);
    }
    values[0][index] = change.gate * in.gate[other] + grad.gate * moving.by.gate[other];
#pragma unroll
    for (int d = 0; d < 3 && in.dotr; ++d) {
      values[1 + d][index] = change.cosine * in.direction[3 * other + d] +
                             grad.cosine * moving.by.direction[3 * other + d];
    }
    values[4][index] = grad.score * z;
    values[5][index] = w * both.term.weight();
  }
}

template <class T, bool kColumns>
__global__ void __launch_bounds__(kTileThreads, least_blocks<T>(2))
    grad_grad_kernel(Moving<T> moving, const RowSums<T>* sums, Found<T> found) {
  constexpr Part kMine = kColumns ? kKey : kQuery, kTheirs = kColumns ? kQuery : kKey;
  __shared__ TileMemory<T> memory;
  const T *old = moving.in.attended, *by = moving.by.attended;
  const auto width = static_cast<int32_t>(moving.in.runs.width);
  over_own_tiles(moving.in.runs, [&](TilePlace at) {
    T sum[6] = {};
    for (; at.other < at.count; at.other += kTile) {
      Planes<T> planes = planes_of<kColumns>(memory, moving, at);
      T values[6][kOwn] = {};
      turn<kColumns>(moving, sums, at, planes, values);
      add_sums(values, sum);
      TileTarget<T> to = at.part_target(found.second.attended, kMine, width);
      add_product(memory, planes.score_change, at.other_part(old, kTheirs, width), to);
      to.add = true;
      add_product(memory, planes.score, at.other_part(by, kTheirs, width), to);
      if constexpr (kColumns) {
        add_product(memory, planes.weight_grad_change, at.other_rows(moving.upper, width),
                    at.part_target(found.second.attended, kValue, width));
      } else {
        to = at.target(found.upper_grad, width);
        add_product(memory, planes.weight_grad_change, at.other_part(old, kValue, width), to);
        to.add = true;
        add_product(memory, planes.weight_grad, at.other_part(by, kValue, width), to);
      }
    }
    over_own_sums(at, [&](int64_t pair) {
      put_small<kColumns>(moving.in, pair, sum, found.second);
      found.along[pair * kParts + kMine] = sum[4];
      if (kColumns) found.along[pair * kParts + kValue] = sum[5];
      T* along = found.along_direction + pair;
      *along = kColumns ? *along + sum[5] : sum[5];
    });
  });
}

}  // namespace

template <class T>
void attention_grad_grad(const AttentionShape& shape, const Cuda& cuda,
                         const AttentionArrays<T>& in, const T* upper,
                         const AttentionArrays<T>& grad, const AttentionArrays<T>& tangent,
                         T* upper_grad, const AttentionGrads<T>& second) {
  const int64_t pairs = shape.runs.num_pairs, width = shape.runs.width;
  const UnitInputs<T> unit(shape, cuda, in);
  T *parts = cuda.scratch<T>(kParts * pairs * width), *directions = cuda.scratch<T>(3 * pairs);
  project(unit.parts, cuda, tangent.attended, parts);
  project(unit.directions, cuda, tangent.direction, directions);
  const Moving<T> moving{unit.pairs, {parts, directions, tangent.gate}, upper};
  const Found<T> found{upper_grad, second, cuda.scratch<T>(kParts * pairs), cuda.scratch<T>(pairs)};
  auto* sums = cuda.scratch<RowSums<T>>(pairs);
  const dim3 grid = tile_grid(shape.runs);
  launch(cuda, grid, kTileThreads, changed_sums_kernel<T>, moving, sums);
  launch(cuda, grid, kTileThreads, grad_grad_kernel<T, false>, moving, sums, found);
  launch(cuda, grid, kTileThreads, grad_grad_kernel<T, true>, moving, sums, found);
  project_changed(unit.parts, cuda, {found.along, grad.attended, tangent.attended, parts},
                  second.attended);
  project_changed(unit.directions, cuda,
                  {found.along_direction, grad.direction, tangent.direction, directions},
                  second.direction);
}

#define DEEPTF_INSTANTIATE(T)                                                  \
  template void attention_grad_grad<T>(                                        \
      const AttentionShape&, const Cuda&, const AttentionArrays<T>&, const T*, \
      const AttentionArrays<T>&, const AttentionArrays<T>&, T*, const AttentionGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
