// See row_norm.h; a warp has a row, and reads it again where it needs it again.
#include "core/cuda/device.h"
#include "core/cuda/row_norm.h"
#include "core/nets/row_formulas.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

// The row of this warp: y = (x - mean) inverse.
template <class T>
struct NormedRow {
  __device__ NormedRow(const NormRows<T>& rows, int64_t row)
      : width(rows.width), x(rows.x + row * rows.width) {
    mean = of_all([&](int64_t k) { return x[k]; });
    const T variance = of_all([&](int64_t k) { return (x[k] - mean) * (x[k] - mean); });
    inverse = 1 / std::sqrt(variance + rows.epsilon);
  }

  // The mean over the row, for all lanes.
  template <class Value>
  __device__ T of_all(const Value& value) const {
    T sum = 0;
    for (int64_t k = threadIdx.x % kLanes; k < width; k += kLanes) sum += value(k);
    return warp_total(sum) / static_cast<T>(width);
  }
  __device__ T y(int64_t k) const { return (x[k] - mean) * inverse; }

  int64_t width;
  const T* x;
  T mean, inverse;
};

// J u of a row.
template <class T>
struct Turned {
  __device__ Turned(const NormedRow<T>& row, const T* u) : row(row), u(u) {
    mean = row.of_all([&](int64_t k) { return u[k]; });
    along = row.of_all([&](int64_t k) { return u[k] * row.y(k); });
  }
  __device__ T operator()(int64_t k) const {
    return norm_change(u[k], mean, row.y(k), along, row.inverse);
  }

  const NormedRow<T>& row;
  const T* u;
  T mean, along;
};

// to[k] = make(row)(k) for every row, by the warp that has it.
template <class T, class Make>
__global__ void __launch_bounds__(kThreads) row_kernel(NormRows<T> rows, Make make, T* to) {
  const int64_t row = warp_index(), start = row * rows.width;
  if (row >= rows.count) return;
  const NormedRow<T> normed(rows, row);
  const auto value = make(normed, start);
  for (int64_t k = threadIdx.x % kLanes; k < rows.width; k += kLanes) to[start + k] = value(k);
}

template <class T>
struct Values {
  struct Value {
    const NormedRow<T>& row;
    __device__ T operator()(int64_t k) const { return row.y(k); }
  };
  __device__ Value operator()(const NormedRow<T>& row, int64_t) const { return {row}; }
};

template <class T>
struct Grads {
  const T* u;
  __device__ Turned<T> operator()(const NormedRow<T>& row, int64_t start) const {
    return {row, u + start};
  }
};

template <class T>
struct SecondGrads {
  struct Value {
    __device__ Value(const NormedRow<T>& row, const T* u, const T* v)
        : turned_u(row, u), turned_v(row, v) {
      const T both = row.of_all([&](int64_t k) { return v[k] * turned_u(k); });
      second = {both, turned_u.along, turned_v.along, row.inverse};
    }
    __device__ T operator()(int64_t k) const {
      return second(turned_u.row.y(k), turned_u(k), turned_v(k));
    }
    Turned<T> turned_u, turned_v;
    NormSecond<T> second;
  };
  const T *u, *v;
  __device__ Value operator()(const NormedRow<T>& row, int64_t start) const {
    return {row, u + start, v + start};
  }
};

template <class T, class Make>
void over_rows(const NormRows<T>& rows, const Cuda& cuda, const Make& make, T* to) {
  launch(cuda, blocks_of_warps(rows.count, kThreads), kThreads, row_kernel<T, Make>, rows, make,
         to);
}

}  // namespace

template <class T>
void row_norm(const NormRows<T>& rows, const Cuda& cuda, T* y) {
  over_rows(rows, cuda, Values<T>{}, y);
}

template <class T>
void row_norm_grad(const NormRows<T>& rows, const Cuda& cuda, const T* u, T* grad) {
  over_rows(rows, cuda, Grads<T>{u}, grad);
}

template <class T>
void row_norm_grad_grad(const NormRows<T>& rows, const Cuda& cuda, const T* u, const T* v,
                        T* grad) {
  over_rows(rows, cuda, SecondGrads<T>{u, v}, grad);
}

#define DEEPTF_INSTANTIATE(T)                                                    \
  template void row_norm<T>(const NormRows<T>&, const Cuda&, T*);                \
  template void row_norm_grad<T>(const NormRows<T>&, const Cuda&, const T*, T*); \
  template void row_norm_grad_grad<T>(const NormRows<T>&, const Cuda&, const T*, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
