// See attention.h. With W = (w_jk) and so on for one atom, overbars for gradients of sum(upper *
// out):
//   W_ = upper V^T   V_ = W^T upper   Q_ = Z_ K   K_ = Z_^T Q
//   s_ = w_ g c   l_ = s (s_ - sum_m s_ s)   z_ = l_ g   g_ = w_ s c + l_ (z + 20)   c_ = w_ s g
#include "core/nets/attention.h"

#include "core/nets/attention_block.h"

namespace deeptf {
namespace {

// Where the gradients of one atom's gates and directions are summed up.
template <class T>
struct SmallGrads {
  explicit SmallGrads(int64_t count) : gate(count, T(0)), direction(count) {}

  Scratch<T> gate;
  Columns<T> direction;
};

// Turns row j of `score`, Z, into W, and that of `weight_grad`, W_, into Z_.
template <class T>
void grad_row(const AttentionBlock<T>& block, int64_t j, AttentionRow<T>& row, T* score,
              T* weight_grad, SmallGrads<T>& small) {
  const int64_t n = block.count;
  row.set(j, score);
  if (!block.shape.diagonal) weight_grad[j] = 0;
  const T *c = row.cosine.data(), *p = block.gate, lift = row.lift();
  T mean = 0;
#pragma omp simd reduction(+ : mean)
  for (int64_t k = 0; k < n; ++k) mean += weight_grad[k] * row.term(k).weight();
  const T *x = block.turned[0], *y = block.turned[1], *z = block.turned[2];
  const bool dotr = block.shape.dotr;
  T *gate_grad = small.gate.data(), *x_grad = small.direction[0], *y_grad = small.direction[1],
    *z_grad = small.direction[2];
  T gate_sum = 0, x_sum = 0, y_sum = 0, z_sum = 0;
  const T pj = p[j];
  // Once for each array: the compiler keeps all in registers.
#pragma omp simd reduction(+ : gate_sum)
  for (int64_t k = 0; k < n; ++k) {
    const AttentionTerm<T> term = row.term(k);
    const auto grad = attention_grad_of(term, score[k] + lift, weight_grad[k], mean);
    gate_sum += grad.gate * p[k];
    gate_grad[k] += grad.gate * pj;
    score[k] = term.weight();
    weight_grad[k] = grad.score;
    row.cosine[k] = grad.cosine;
  }
  gate_grad[j] += gate_sum;
  if (!block.shape.diagonal) score[j] = 0;
  if (!dotr) return;
  const T xj = x[j], yj = y[j], zj = z[j];
#pragma omp simd reduction(+ : x_sum, y_sum, z_sum)
  for (int64_t k = 0; k < n; ++k) {
    x_sum += c[k] * x[k];
    y_sum += c[k] * y[k];
    z_sum += c[k] * z[k];
    x_grad[k] += c[k] * xj;
    y_grad[k] += c[k] * yj;
    z_grad[k] += c[k] * zj;
  }
  x_grad[j] += x_sum;
  y_grad[j] += y_sum;
  z_grad[j] += z_sum;
}

}  // namespace

template <class T>
void attention(const AttentionShape& shape, const Context& context, const AttentionArrays<T>& in,
               T* out) {
  over_atoms(shape.runs, work_of(shape, 2), context, [&](int64_t atom, int64_t first) {
    const int64_t n = shape.runs.count[atom];
    const AttentionBlock<T> block(shape, n, first, in);
    Scratch<T> weight(n * n);
    block.outer(block.part(kQuery), block.part(kKey), weight.data());
    AttentionRow<T> row(block);
    for (int64_t j = 0; j < n; ++j) {
      T* w = &weight[j * n];
      row.set(j, w);
      for (int64_t k = 0; k < n; ++k) w[k] = row.term(k).weight();
      if (!shape.diagonal) w[j] = 0;
    }
    multiply<T>({n, block.width, out + first * block.width, block.width, false},
                {{n, {weight.data(), n, 1}, block.part(kValue)}});
  });
}

template <class T>
void attention_grad(const AttentionShape& shape, const Context& context,
                    const AttentionArrays<T>& in, const T* upper, const AttentionGrads<T>& grad) {
  over_atoms(shape.runs, work_of(shape, 5), context, [&](int64_t atom, int64_t first) {
    const int64_t n = shape.runs.count[atom], width = shape.runs.width;
    const AttentionBlock<T> block(shape, n, first, in);
    const MatrixView<T> above{upper + first * width, width, 1};
    Scratch<T> score(n * n), weight_grad(n * n);
    block.outer(block.part(kQuery), block.part(kKey), score.data());
    block.outer(above, block.part(kValue), weight_grad.data());
    SmallGrads<T> small(n);
    AttentionRow<T> row(block);
    for (int64_t j = 0; j < n; ++j) {
      grad_row(block, j, row, &score[j * n], &weight_grad[j * n], small);
    }
    const MatrixView<T> weight{score.data(), n, 1}, score_grad{weight_grad.data(), n, 1};
    T* attended = grad.attended + first * kParts * width;
    block.put(attended, kQuery, {{n, score_grad, block.part(kKey)}});
    block.put(attended, kKey, {{n, score_grad.transposed(), block.part(kQuery)}});
    block.put(attended, kValue, {{n, weight.transposed(), above}});
    block.attended.project(attended, attended);
    block.put_gate(small.gate, grad.gate + first);
    small.direction.to_rows(grad.direction + first * 3);
    if (shape.dotr)
      block.directions.project(grad.direction + first * 3, grad.direction + first * 3);
  });
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void attention<T>(const AttentionShape&, const Context&, const AttentionArrays<T>&, \
                             T*);                                                              \
  template void attention_grad<T>(const AttentionShape&, const Context&,                       \
                                  const AttentionArrays<T>&, const T*, const AttentionGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
