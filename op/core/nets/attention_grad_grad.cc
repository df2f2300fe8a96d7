// See attention.h: the change of attention and of its gradient (attention.cc) where the inputs
// change and `upper` does not; every line is the derivative of one there, with a dot for a change:
//   Z. = Q. K^T + Q K.^T   W_. = upper V.^T   out. = W. V + W V.   V_. = W.^T upper
//   Q_. = Z_. K + Z_ K.    K_. = Z_.^T Q + Z_^T Q.
#include <algorithm>

#include "core/nets/attention.h"
#include "core/nets/attention_block.h"

namespace deeptf {
namespace {

// How the inputs of one atom's pairs change: directions of unit length, and parts as they are.
template <class T>
struct Change {
  Change(const AttentionBlock<T>& block, int64_t first, const AttentionArrays<T>& tangent)
      : attended(kParts * block.count * block.width),
        direction(block.shape.dotr ? 3 * block.count : 0),
        turned(set(block, first, tangent)),
        gate(tangent.gate + first) {}

  Scratch<T> attended, direction;
  Columns<T> turned;  // direction
  const T* gate;

 private:
  Columns<T> set(const AttentionBlock<T>& block, int64_t first, const AttentionArrays<T>& tangent) {
    block.attended.project(tangent.attended + first * kParts * block.width, attended.data());
    if (block.shape.dotr) block.directions.project(tangent.direction + 3 * first, direction.data());
    return Columns<T>(block.shape.dotr ? block.count : 0, direction.data());
  }
};

// What the rows of one atom's pairs sum up.
template <class T>
struct Sums {
  explicit Sums(int64_t n)
      : along(n * kParts, T(0)), along_direction(n, T(0)), gate(n, T(0)), direction(n) {}

  Scratch<T> along;            // [n, 3] unit row . its gradient
  Scratch<T> along_direction;  // [n] the same
  Scratch<T> gate;             // [n] changes of gradients
  Columns<T> direction;
};

// The planes [n, n] of one atom, or a row of them: the first names are what they hold at first.
template <class T>
struct Planes {
  T *score, *score_change, *weight_grad, *weight_grad_change;

  Planes row(int64_t j, int64_t n) const {
    return {score + j * n, score_change + j * n, weight_grad + j * n, weight_grad_change + j * n};
  }
};

// Numbers of a row that change.
template <class T>
class ChangedRow {
 public:
  explicit ChangedRow(const AttentionBlock<T>& block, const Change<T>& change)
      : block_(block),
        change_(change),
        row(block),
        gate(block.count),
        cosine(block.count),
        share(block.count),
        along_key(block.count, T(0)),
        along_value(block.count, T(0)) {}

  void set(int64_t j, const T* score, const T* score_change) {
    row.set(j, score);
    const int64_t n = block_.count;
    const T *p = block_.gate, *dp = change_.gate, pj = p[j], dpj = dp[j], lift = row.lift();
    const bool smooth = block_.shape.smooth;
    for (int64_t k = 0; k < n; ++k) gate[k] = smooth ? dpj * p[k] + pj * dp[k] : T(0);
    set_cosine(j);
    T mean = 0;
#pragma omp simd reduction(+ : mean)
    for (int64_t k = 0; k < n; ++k) {
      share[k] = score_change[k] * row.scale[k] + (score[k] + lift) * gate[k];
      mean += share[k] * row.share[k];
    }
    for (int64_t k = 0; k < n; ++k) share[k] = row.share[k] * (share[k] - mean);
  }

  // Turns a row of the planes Z, Z., W_, W_. into W, W., Z_, Z_..
  void turn(int64_t j, const Planes<T>& at, Sums<T>& sums) {
    const int64_t n = block_.count;
    if (!block_.shape.diagonal) at.weight_grad[j] = at.weight_grad_change[j] = 0;
    T mean = 0, mean_change = 0;
#pragma omp simd reduction(+ : mean, mean_change)
    for (int64_t k = 0; k < n; ++k) {
      const AttentionTerm<T> term = row.term(k);
      mean += at.weight_grad[k] * term.weight();
      mean_change +=
          at.weight_grad_change[k] * term.weight() + at.weight_grad[k] * change(k).weight(term);
    }
    const T *p = block_.gate, *dp = change_.gate;
    const T pj = p[j], dpj = dp[j], lift = row.lift();
    T *key = along_key.data(), *value = along_value.data(), *gate_grad = sums.gate.data();
    T query = 0, gate_sum = 0;
#pragma omp simd reduction(+ : query, gate_sum)
    for (int64_t k = 0; k < n; ++k) {
      const AttentionTerm<T> term = row.term(k);
      const AttentionTermChange<T> moved = change(k);
      const T w = at.weight_grad[k], z = at.score[k];
      const AttentionGradChange<T> by{at.score_change[k], at.weight_grad_change[k], mean_change};
      const auto grad = attention_grad_of(term, z + lift, w, mean);
      const auto grad_change = attention_grad_change(term, moved, z + lift, w, mean, by);
      gate_sum += grad_change.gate * p[k] + grad.gate * dp[k];
      gate_grad[k] += grad_change.gate * pj + grad.gate * dpj;
      query += grad.score * z;
      key[k] += grad.score * z;
      value[k] += w * term.weight();
      at.score[k] = term.weight();
      at.score_change[k] = moved.weight(term);
      at.weight_grad[k] = grad.score;
      at.weight_grad_change[k] = grad_change.score;
      row.cosine[k] = grad.cosine;
      cosine[k] = grad_change.cosine;
    }
    gate_grad[j] += gate_sum;
    sums.along[j * kParts + kQuery] = query;
    sums.along_direction[j] += mean;
    if (!block_.shape.diagonal) at.score[j] = at.score_change[j] = 0;
    if (block_.shape.dotr) add_directions(j, sums);
  }

  // What only all rows together know.
  void finish(Sums<T>& sums) const {
    for (int64_t k = 0; k < block_.count; ++k) {
      sums.along[k * kParts + kKey] = along_key[k];
      sums.along[k * kParts + kValue] = along_value[k];
      sums.along_direction[k] += along_value[k];
    }
  }

 private:
  AttentionTermChange<T> change(int64_t k) const { return {gate[k], cosine[k], share[k]}; }
  void set_cosine(int64_t j) {
    std::fill(cosine.begin(), cosine.end(), T(0));
    for (int64_t d = 0; block_.shape.dotr && d < 3; ++d) {
      const T *x = block_.turned[d], *dx = change_.turned[d], xj = x[j], dxj = dx[j];
      for (int64_t k = 0; k < block_.count; ++k) {
        cosine[k] += dxj * x[k] + xj * dx[k];
      }
    }
  }
  void add_directions(int64_t j, Sums<T>& sums) const {
    const T *c = row.cosine.data(), *dc = cosine.data();
    for (int64_t d = 0; d < 3; ++d) {
      const T *x = block_.turned[d], *dx = change_.turned[d], xj = x[j], dxj = dx[j];
      T *to = sums.direction[d], sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t k = 0; k < block_.count; ++k) {
        sum += dc[k] * x[k] + c[k] * dx[k];
        to[k] += dc[k] * xj + c[k] * dxj;
      }
      to[j] += sum;
    }
  }

  const AttentionBlock<T>& block_;
  const Change<T>& change_;

 public:
  AttentionRow<T> row;
  Scratch<T> gate, cosine, share, along_key, along_value;
};

}  // namespace

template <class T>
void attention_grad_grad(const AttentionShape& shape, const Context& context,
                         const AttentionArrays<T>& in, const T* upper,
                         const AttentionArrays<T>& grad, const AttentionArrays<T>& tangent,
                         T* upper_grad, const AttentionGrads<T>& second) {
  over_atoms(shape.runs, work_of(shape, 12), context, [&](int64_t atom, int64_t first) {
    const int64_t n = shape.runs.count[atom], width = shape.runs.width;
    const AttentionBlock<T> block(shape, n, first, in);
    const Change<T> change(block, first, tangent);
    const auto old = [&](Part which) { return block.part(which); };
    const auto moved = [&](Part which) { return block.part(change.attended.data(), which); };
    const MatrixView<T> above{upper + first * width, width, 1};
    Scratch<T> memory(4 * n * n);
    const Planes<T> planes{&memory[0], &memory[n * n], &memory[2 * n * n], &memory[3 * n * n]};
    block.outer(old(kQuery), old(kKey), planes.score);
    multiply<T>({n, n, planes.score_change, n, false},
                {{width, moved(kQuery), old(kKey).transposed()},
                 {width, old(kQuery), moved(kKey).transposed()}});
    block.outer(above, old(kValue), planes.weight_grad);
    block.outer(above, moved(kValue), planes.weight_grad_change);
    Sums<T> sums(n);
    ChangedRow<T> row(block, change);
    for (int64_t j = 0; j < n; ++j) {
      const Planes<T> at = planes.row(j, n);
      row.set(j, at.score, at.score_change);
      row.turn(j, at, sums);
    }
    row.finish(sums);
    const MatrixView<T> w{planes.score, n, 1}, dw{planes.score_change, n, 1};
    const MatrixView<T> z{planes.weight_grad, n, 1}, dz{planes.weight_grad_change, n, 1};
    multiply<T>({n, width, upper_grad + first * width, width, false},
                {{n, dw, old(kValue)}, {n, w, moved(kValue)}});
    T* attended = second.attended + first * kParts * width;
    block.put(attended, kQuery, {{n, dz, old(kKey)}, {n, z, moved(kKey)}});
    block.put(attended, kKey,
              {{n, dz.transposed(), old(kQuery)}, {n, z.transposed(), moved(kQuery)}});
    block.put(attended, kValue, {{n, dw.transposed(), above}});
    const int64_t start = first * kParts * width;
    block.attended.project_changed(sums.along.data(), grad.attended + start,
                                   tangent.attended + start, change.attended.data(), attended);
    block.put_gate(sums.gate, second.gate + first);
    T* direction = second.direction + 3 * first;
    sums.direction.to_rows(direction);
    if (shape.dotr) {
      block.directions.project_changed(sums.along_direction.data(), grad.direction + 3 * first,
                                       tangent.direction + 3 * first, change.direction.data(),
                                       direction);
    }
  });
}

#define DEEPTF_INSTANTIATE(T)                                                     \
  template void attention_grad_grad<T>(                                           \
      const AttentionShape&, const Context&, const AttentionArrays<T>&, const T*, \
      const AttentionArrays<T>&, const AttentionArrays<T>&, T*, const AttentionGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
