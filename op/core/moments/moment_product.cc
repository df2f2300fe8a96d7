// See moment_product.h. Threaded over atoms. Loops run over lanes of consecutive numbers; what is
// read is first copied to rows of whole lanes with zeros behind their ends.
#include "core/moments/moment_product.h"

#include <algorithm>

#include "core/base/lane.h"
#include "core/base/scratch.h"

namespace deeptf {
namespace {

// Rows of whole lanes, a whole number of lanes of them.
template <class T>
class PaddedRows {
 public:
  PaddedRows(int64_t rows, int64_t width)
      : rows_(rows),
        width_(width),
        stride_(round_up(width, kLane<T>)),
        data_(round_up(rows, kLane<T>) * stride_, T(0)) {}

  const T* row(int64_t row) const { return data_.data() + row * stride_; }
  T* row(int64_t row) { return data_.data() + row * stride_; }

  void copy(const T* from) {
    for (int64_t k = 0; k < rows_; ++k) std::copy_n(from + k * width_, width_, row(k));
  }

  // Becomes the transposed of `other`, a square of lanes at a time.
  void copy_transposed(const PaddedRows& other) {
    for (int64_t i = 0; i < other.rows_; i += kLane<T>) {
      for (int64_t j = 0; j < other.width_; j += kLane<T>) {
        Lane<T> square[kLane<T>];
        for (int64_t k = 0; k < kLane<T>; ++k) square[k] = load(other.row(i + k) + j);
        transpose<T>(square);
        for (int64_t k = 0; k < kLane<T>; ++k) store(row(j + k) + i, square[k]);
      }
    }
  }

 private:
  int64_t rows_, width_, stride_;
  Scratch<T> data_;
};

// Calls body(begin, end) for pieces that hold every atom once.
template <class Body>
void over_pieces(const MomentShape& shape, const Context& context, const Body& body) {
  const int64_t cycles = 100 + shape.columns * shape.width * shape.axis / 4;
  context.parallel(shape.num_atoms, cycles, body);
}

// Writes a lane, or as much of it as there is room for. Rows are written in their order: a lane may
// reach into the row behind it, whose turn comes later.
template <class T>
void store_within(T* to, const T* end, const Lane<T>& lane) {
  if (to + kLane<T> <= end) {
    store(to, lane);
  } else {
    for (int64_t k = 0; to + k < end; ++k) to[k] = lane[k];
  }
}

// product [M, axis] = sum_w left[w, m] right[w, k], or with kBoth left and right exchanged added.
template <class T, bool kBoth>
void write_product(const MomentShape& shape, const PaddedRows<T>& left, const PaddedRows<T>& right,
                   T* product) {
  const T* end = product + shape.width * shape.axis;
  for (int64_t m = 0; m < shape.width; ++m) {
    for (int64_t k = 0; k < shape.axis; k += kLane<T>) {
      Lane<T> sum = {};
      for (int64_t w = 0; w < shape.columns; ++w) {
        sum += left.row(w)[m] * load(right.row(w) + k);
        if constexpr (kBoth) sum += right.row(w)[m] * load(left.row(w) + k);
      }
      store_within<T>(product + m * shape.axis + k, end, sum);
    }
  }
}

// sum_k factor[k] rows[k, a lane from `at`]
template <class T>
Lane<T> weighted_sum(int64_t count, const T* factor, const PaddedRows<T>& rows, int64_t at) {
  constexpr int64_t kChains = 4;  // hide the latency of the additions
  Lane<T> sum[kChains] = {};
  int64_t k = 0;
  for (; k + kChains <= count; k += kChains) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < kChains; ++i) sum[i] += factor[k + i] * load(rows.row(k + i) + at);
  }
  for (; k < count; ++k) sum[0] += factor[k] * load(rows.row(k) + at);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace

template <class T>
void moment_product(const MomentShape& shape, const Context& context, const T* moments,
                    T* product) {
  over_pieces(shape, context, [&](int64_t begin, int64_t end) {
    PaddedRows<T> rows(shape.columns, shape.width);
    for (int64_t atom = begin; atom < end; ++atom) {
      rows.copy(moments + atom * shape.columns * shape.width);
      write_product<T, false>(shape, rows, rows, product + atom * shape.width * shape.axis);
    }
  });
}

template <class T>
void moment_product_polar(const MomentShape& shape, const Context& context, const T* moments,
                          const T* other, T* polar) {
  over_pieces(shape, context, [&](int64_t begin, int64_t end) {
    PaddedRows<T> left(shape.columns, shape.width), right(shape.columns, shape.width);
    for (int64_t atom = begin; atom < end; ++atom) {
      left.copy(moments + atom * shape.columns * shape.width);
      right.copy(other + atom * shape.columns * shape.width);
      write_product<T, true>(shape, left, right, polar + atom * shape.width * shape.axis);
    }
  });
}

template <class T>
void moment_product_grad(const MomentShape& shape, const Context& context, const T* moments,
                         const T* upper, T* grad) {
  const int64_t size = shape.columns * shape.width;
  over_pieces(shape, context, [&](int64_t begin, int64_t end) {
    PaddedRows<T> y(shape.width, shape.axis), transposed(shape.axis, shape.width);
    for (int64_t atom = begin; atom < end; ++atom) {
      y.copy(upper + atom * shape.width * shape.axis);
      transposed.copy_transposed(y);
      const T* last = grad + (atom + 1) * size;
      for (int64_t w = 0; w < shape.columns; ++w) {
        const T* row = moments + atom * size + w * shape.width;
        T* to = grad + atom * size + w * shape.width;
        for (int64_t m = 0; m < shape.width; m += kLane<T>) {
          Lane<T> sum = weighted_sum<T>(shape.axis, row, transposed, m);
          if (m < shape.axis) sum += weighted_sum<T>(shape.width, row, y, m);
          store_within<T>(to + m, last, sum);
        }
      }
    }
  });
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void moment_product<T>(const MomentShape&, const Context&, const T*, T*);           \
  template void moment_product_grad<T>(const MomentShape&, const Context&, const T*, const T*, \
                                       T*);                                                    \
  template void moment_product_polar<T>(const MomentShape&, const Context&, const T*, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
