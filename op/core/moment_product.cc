// See moment_product.h. Threaded over atoms. All loops run over consecutive numbers of D or of one
// row of it; sums over k take whole lanes, which axis_neuron = 4, 8, 16 fills.
#include "core/moment_product.h"

#include <algorithm>

#include "core/lane.h"

namespace deeptf {
namespace {

template <class Body>
void over_atoms(const MomentShape& shape, const ParallelFor& parallel, const Body& body) {
  const int64_t cycles = 100 + shape.columns * shape.width * shape.axis / 2;
  parallel(shape.num_atoms, cycles, [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) {
      body(atom * shape.columns * shape.width, atom * shape.width * shape.axis);
    }
  });
}

// product [M, axis] += sum_w left[w, m] right[w, k] for one atom.
template <class T>
void add_product(const MomentShape& shape, const T* left, const T* right, T* product) {
  for (int64_t m = 0; m < shape.width; ++m) {
    T* to = product + m * shape.axis;
    for (int64_t w = 0; w < shape.columns; ++w) {
      const T factor = left[w * shape.width + m];
      const T* row = right + w * shape.width;
      for (int64_t k = 0; k < shape.axis; ++k) to[k] += factor * row[k];
    }
  }
}

template <class T>
T dot(int64_t count, const T* a, const T* b) {
  Lane<T> total = {};
  int64_t k = 0;
  for (; k + kLane<T> <= count; k += kLane<T>) total += load(a + k) * load(b + k);
  T sum = 0;
  for (int64_t i = 0; i < kLane<T>; ++i) sum += total[i];
  for (; k < count; ++k) sum += a[k] * b[k];
  return sum;
}

}  // namespace

template <class T>
void moment_product(const MomentShape& shape, const ParallelFor& parallel, const T* moments,
                    T* product) {
  over_atoms(shape, parallel, [&](int64_t at_moments, int64_t at_product) {
    std::fill_n(product + at_product, shape.width * shape.axis, T(0));
    add_product(shape, moments + at_moments, moments + at_moments, product + at_product);
  });
}

template <class T>
void moment_product_polar(const MomentShape& shape, const ParallelFor& parallel, const T* moments,
                          const T* other, T* polar) {
  over_atoms(shape, parallel, [&](int64_t at_moments, int64_t at_product) {
    std::fill_n(polar + at_product, shape.width * shape.axis, T(0));
    add_product(shape, moments + at_moments, other + at_moments, polar + at_product);
    add_product(shape, other + at_moments, moments + at_moments, polar + at_product);
  });
}

template <class T>
void moment_product_grad(const MomentShape& shape, const ParallelFor& parallel, const T* moments,
                         const T* upper, T* grad) {
  over_atoms(shape, parallel, [&](int64_t at_moments, int64_t at_product) {
    for (int64_t w = 0; w < shape.columns; ++w) {
      const T* row = moments + at_moments + w * shape.width;
      const T* y = upper + at_product;
      T* to = grad + at_moments + w * shape.width;
      for (int64_t m = 0; m < shape.width; ++m) to[m] = dot(shape.axis, y + m * shape.axis, row);
      for (int64_t n = 0; n < shape.width; ++n) {
        for (int64_t m = 0; m < shape.axis; ++m) to[m] += row[n] * y[n * shape.axis + m];
      }
    }
  });
}

#define DEEPTF_INSTANTIATE(T)                                                                      \
  template void moment_product<T>(const MomentShape&, const ParallelFor&, const T*, T*);           \
  template void moment_product_grad<T>(const MomentShape&, const ParallelFor&, const T*, const T*, \
                                       T*);                                                        \
  template void moment_product_polar<T>(const MomentShape&, const ParallelFor&, const T*,          \
                                        const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
