// See neighbor_sum.h. With W = 4 and M of at least one lane, sums (or gradients) of 4 columns x a
// block of lanes stay in registers while the pairs of an atom stream by; the last block or lane of
// a row starts early and overlaps the one before. Other sizes use the plain loops.
//
// Measured with tests/benchmarks/neighbor_sum.cc on one Zen 4 core, data in cache, W = 4, M = 100,
// in ns a pair: sum 15.2, value_grad 15.9, weight_grad 27.2 in float64; 8.2, 8.5, 15.1 in float32.
// The limit of the multiply-add units is 13.6 and 6.8; the plain loops take 4 to 13 times as long.
#include "core/moments/neighbor_sum.h"

#include <algorithm>

#include "core/base/lane.h"
#include "core/base/scratch.h"

namespace deeptf {
namespace {

constexpr int kColumns = 4;
constexpr int kGroup = kMaxBlock > 4 ? 4 : 2;  // pairs at a time in weight_block
constexpr int kAhead = 8;                      // rows of values to ask for early

template <class T>
bool is_fast(const Runs& runs) {
  return runs.columns == kColumns && runs.width >= kLane<T>;
}

// Cuts a row of `width` numbers into blocks of up to kMaxBlock lanes: calls body(start, lanes).
template <class T, class Body>
void over_blocks(int64_t width, const Body& body) {
  const int64_t lanes = (width + kLane<T> - 1) / kLane<T>;
  const int64_t blocks = (lanes + kMaxBlock - 1) / kMaxBlock;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = lanes * block / blocks, last = lanes * (block + 1) / blocks;
    const int64_t room = width - (last - first) * kLane<T>;
    if (room < 0) {  // the only block is wider than the row: its last lane stands alone
      body(0, static_cast<int>(lanes - 1));
      body(width - kLane<T>, 1);
    } else {
      body(std::min(first * kLane<T>, room), static_cast<int>(last - first));
    }
  }
}

// Calls kernel<lanes>() for a number of lanes known at run time.
template <int kMost, class Kernel>
void with_lanes(int lanes, const Kernel& kernel) {
  if (lanes == kMost) {
    kernel(std::integral_constant<int, kMost>());
  } else if constexpr (kMost > 1) {
    with_lanes<kMost - 1>(lanes, kernel);
  }
}

// sum[c, 0 : B lanes] over the pairs of one atom.
template <class T, int B>
void sum_block(int64_t pairs, int64_t width, const T* weight, const T* value, T* sum) {
  Lane<T> total[kColumns][B] = {};
  for (int64_t pair = 0; pair < pairs; ++pair, weight += kColumns, value += width) {
    __builtin_prefetch(value + kAhead * width);
    for (int b = 0; b < B; ++b) {
      Lane<T> v = load(value + b * kLane<T>);
      hold(v);
      for (int c = 0; c < kColumns; ++c) total[c][b] += weight[c] * v;
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < kColumns; ++c) {
#pragma GCC unroll 8
    for (int b = 0; b < B; ++b) store(sum + c * width + b * kLane<T>, total[c][b]);
  }
}

// value_grad[pair, 0 : B lanes] for the pairs of one atom.
template <class T, int B>
void value_block(int64_t pairs, int64_t width, const T* weight, const T* grad, T* value_grad) {
  Lane<T> g[kColumns][B];
  for (int c = 0; c < kColumns; ++c) {
    for (int b = 0; b < B; ++b) g[c][b] = load(grad + c * width + b * kLane<T>);
  }
  for (int64_t pair = 0; pair < pairs; ++pair, weight += kColumns, value_grad += width) {
    Lane<T> w[kColumns];
    for (int c = 0; c < kColumns; ++c) {
      w[c] = Lane<T>{} + weight[c];
      if constexpr (kMaxBlock > 4) hold(w[c]);  // else there are too few registers
    }
    for (int b = 0; b < B; ++b) {
      Lane<T> v = w[0] * g[0][b];
      for (int c = 1; c < kColumns; ++c) v += w[c] * g[c][b];
      store(value_grad + b * kLane<T>, v);
    }
  }
}

// Copies grad [4, M] to lanes [number of lanes, 4]. The last lane starts early; what it has in
// common with the one before is zero, so that it counts once.
template <class T>
Scratch<Lane<T>> cut_into_lanes(int64_t width, const T* grad) {
  const int64_t number = (width + kLane<T> - 1) / kLane<T>;
  Scratch<Lane<T>> lanes(number * kColumns);
  for (int64_t lane = 0; lane < number; ++lane) {
    const int64_t start = std::min(lane * kLane<T>, width - kLane<T>);
    for (int c = 0; c < kColumns; ++c) {
      Lane<T> g = load(grad + c * width + start);
      for (int64_t k = 0; k < lane * kLane<T> - start; ++k) g[k] = 0;
      lanes[lane * kColumns + c] = g;
    }
  }
  return lanes;
}

// weight_grad[pair, c] for kGroup pairs, of which `left` are there.
template <class T>
void weight_block(int64_t left, int64_t width, const T* value, const Scratch<Lane<T>>& grad,
                  T* weight_grad) {
  const T* row[kGroup];
  for (int j = 0; j < kGroup; ++j) row[j] = value + std::min<int64_t>(j, left - 1) * width;
  Lane<T> total[kGroup][kColumns] = {};
  const int64_t number = grad.size() / kColumns;
  for (int64_t lane = 0; lane < number; ++lane) {
    const int64_t start = std::min(lane * kLane<T>, width - kLane<T>);
    const Lane<T>* g = grad.data() + lane * kColumns;
#pragma GCC unroll 4
    for (int j = 0; j < kGroup; ++j) {
      Lane<T> v = load(row[j] + start);
      hold(v);
#pragma GCC unroll 4
      for (int c = 0; c < kColumns; ++c) total[j][c] += v * g[c];
    }
  }
  Lane<T> sums[kGroup * kColumns];
#pragma GCC unroll 16
  for (int k = 0; k < kGroup * kColumns; ++k) sums[k] = total[k / kColumns][k % kColumns];
  T out[kGroup * kColumns];
  for (int k = 0; k < kGroup * kColumns; k += kLane<T>) store(out + k, sums_of<T>(sums + k));
  std::copy(out, out + std::min<int64_t>(left, kGroup) * kColumns, weight_grad);
}

}  // namespace

template <class T>
void neighbor_sum(const Runs& runs, const Context& context, const T* weight, const T* value,
                  T* sum) {
  const int64_t columns = runs.columns, width = runs.width;
  over_atoms(runs, runs.columns * runs.width, context, [&](int64_t atom, int64_t first) {
    const T *w = weight + first * columns, *v = value + first * width;
    T* out = sum + atom * columns * width;
    const int64_t pairs = runs.count[atom];
    if (is_fast<T>(runs)) {
      over_blocks<T>(width, [&](int64_t start, int lanes) {
        with_lanes<kMaxBlock>(lanes, [&](auto block) {
          sum_block<T, block()>(pairs, width, w, v + start, out + start);
        });
      });
      return;
    }
    std::fill(out, out + columns * width, T(0));
    for (int64_t pair = 0; pair < pairs; ++pair) {
      for (int64_t c = 0; c < columns; ++c) {
        for (int64_t m = 0; m < width; ++m) {
          out[c * width + m] += w[pair * columns + c] * v[pair * width + m];
        }
      }
    }
  });
}

template <class T>
void neighbor_sum_value_grad(const Runs& runs, const Context& context, const T* weight,
                             const T* grad, T* value_grad) {
  const int64_t columns = runs.columns, width = runs.width;
  over_atoms(runs, runs.columns * runs.width, context, [&](int64_t atom, int64_t first) {
    const T *w = weight + first * columns, *g = grad + atom * columns * width;
    T* out = value_grad + first * width;
    const int64_t pairs = runs.count[atom];
    if (is_fast<T>(runs)) {
      over_blocks<T>(width, [&](int64_t start, int lanes) {
        with_lanes<kMaxBlock>(lanes, [&](auto block) {
          value_block<T, block()>(pairs, width, w, g + start, out + start);
        });
      });
      return;
    }
    std::fill(out, out + pairs * width, T(0));
    for (int64_t pair = 0; pair < pairs; ++pair) {
      for (int64_t c = 0; c < columns; ++c) {
        for (int64_t m = 0; m < width; ++m) {
          out[pair * width + m] += w[pair * columns + c] * g[c * width + m];
        }
      }
    }
  });
}

template <class T>
void neighbor_sum_weight_grad(const Runs& runs, const Context& context, const T* value,
                              const T* grad, T* weight_grad) {
  const int64_t columns = runs.columns, width = runs.width;
  over_atoms(runs, runs.columns * runs.width, context, [&](int64_t atom, int64_t first) {
    const T *v = value + first * width, *g = grad + atom * columns * width;
    T* out = weight_grad + first * columns;
    const int64_t pairs = runs.count[atom];
    if (is_fast<T>(runs)) {
      const Scratch<Lane<T>> lanes = cut_into_lanes(width, g);
      for (int64_t pair = 0; pair < pairs; pair += kGroup) {
        weight_block(pairs - pair, width, v + pair * width, lanes, out + pair * columns);
      }
      return;
    }
    for (int64_t pair = 0; pair < pairs; ++pair) {
      for (int64_t c = 0; c < columns; ++c) {
        T total = 0;
        for (int64_t m = 0; m < width; ++m) total += v[pair * width + m] * g[c * width + m];
        out[pair * columns + c] = total;
      }
    }
  });
}

#define DEEPTF_INSTANTIATE(T)                                                                    \
  template void neighbor_sum<T>(const Runs&, const Context&, const T*, const T*, T*);            \
  template void neighbor_sum_value_grad<T>(const Runs&, const Context&, const T*, const T*, T*); \
  template void neighbor_sum_weight_grad<T>(const Runs&, const Context&, const T*, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
