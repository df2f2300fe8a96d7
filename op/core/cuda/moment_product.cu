// See moment_product.h. Products have a thread an element. In the gradient a block has an atom, and
// a warp one of four columns w: Y is read once, in whole lines, through squares in shared memory,
// whose rows and columns each meet T once.
#include "core/cuda/device.h"
#include "core/cuda/moment_product.h"

namespace deeptf {
namespace {

constexpr int kWarps = 4, kThreads = kWarps * kLanes;

template <class T, bool kBoth>
struct Product {
  MomentShape shape;
  const T *left, *right;
  T* product;

  DEEPTF_HD void operator()(int64_t k) const {  // [n, M, axis]
    const int64_t atom = k / shape.axis / shape.width, m = k / shape.axis % shape.width;
    const T* a = left + atom * shape.columns * shape.width;
    const T* b = right + atom * shape.columns * shape.width;
    T sum = 0;
    for (int64_t w = 0; w < shape.columns; ++w, a += shape.width, b += shape.width) {
      sum += a[m] * b[k % shape.axis];
      if (kBoth) sum += b[m] * a[k % shape.axis];
    }
    product[k] = sum;
  }
};

// grad [W, M] of an atom. A thread has the same places in it from start to end; it adds to them.
template <class T>
__global__ void __launch_bounds__(kThreads)
    grad_kernel(MomentShape shape, const T* moments, const T* upper, T* grad) {
  __shared__ T square[kLanes][kLanes + 1];  // so that a column is in as many banks as a row
  const int64_t atom = blockIdx.x, width = shape.width, axis = shape.axis;
  const int64_t w = int64_t{blockIdx.y} * kWarps + threadIdx.x / kLanes;
  const int lane = threadIdx.x % kLanes;
  const bool inside = w < shape.columns;
  const T* t = moments + (atom * shape.columns + w) * width;
  T* to = grad + (atom * shape.columns + w) * width;
  const T* y = upper + atom * width * axis;
  for (int64_t m = lane; m < width && inside; m += kLanes) to[m] = 0;
  for (int64_t m = 0; m < width; m += kLanes) {
    for (int64_t k = 0; k < axis; k += kLanes) {
      const int rows = static_cast<int>(width - m < kLanes ? width - m : kLanes);
      const int columns = static_cast<int>(axis - k < kLanes ? axis - k : kLanes);
      __syncthreads();
      for (int row = threadIdx.x / kLanes; row < rows; row += kWarps) {
        if (lane < columns) square[row][lane] = y[(m + row) * axis + k + lane];
      }
      __syncthreads();
      if (!inside) continue;
      T along = 0, across = 0;  // over the columns of the square, and over its rows
      for (int i = 0; i < columns && lane < rows; ++i) along += square[lane][i] * t[k + i];
      for (int i = 0; i < rows && lane < columns; ++i) across += square[i][lane] * t[m + i];
      if (lane < rows) to[m + lane] += along;
      if (lane < columns) to[k + lane] += across;
    }
  }
}

}  // namespace

template <class T>
void moment_product(const MomentShape& shape, const Cuda& cuda, const T* moments, T* product) {
  for_each(cuda, shape.num_atoms * shape.width * shape.axis,
           Product<T, false>{shape, moments, moments, product});
}

template <class T>
void moment_product_polar(const MomentShape& shape, const Cuda& cuda, const T* moments,
                          const T* other, T* polar) {
  for_each(cuda, shape.num_atoms * shape.width * shape.axis,
           Product<T, true>{shape, moments, other, polar});
}

template <class T>
void moment_product_grad(const MomentShape& shape, const Cuda& cuda, const T* moments,
                         const T* upper, T* grad) {
  const dim3 grid(static_cast<unsigned>(shape.num_atoms),
                  static_cast<unsigned>((shape.columns + kWarps - 1) / kWarps));
  launch(cuda, grid, kThreads, grad_kernel<T>, shape, moments, upper, grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                    \
  template void moment_product<T>(const MomentShape&, const Cuda&, const T*, T*);                \
  template void moment_product_grad<T>(const MomentShape&, const Cuda&, const T*, const T*, T*); \
  template void moment_product_polar<T>(const MomentShape&, const Cuda&, const T*, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
