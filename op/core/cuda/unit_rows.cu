// See unit_rows.h; a warp has a row.
#include "core/cuda/device.h"
#include "core/cuda/unit_rows.h"
#include "core/nets/row_formulas.h"

namespace deeptf {
namespace {

constexpr int kThreads = 128;

// a . b of rows, for all lanes of a warp.
template <class T>
__device__ inline T warp_dot(int64_t width, const T* a, const T* b) {
  T sum = 0;
  for (int64_t k = threadIdx.x % kLanes; k < width; k += kLanes) sum += a[k] * b[k];
  return warp_total(sum);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    unit_kernel(int64_t count, int64_t width, const T* rows, T* unit, T* inverse) {
  const int64_t row = warp_index();
  if (row >= count) return;
  const T* x = rows + row * width;
  const T of_row = unit_inverse(warp_dot(width, x, x));
  const int lane = threadIdx.x % kLanes;
  for (int64_t k = lane; k < width; k += kLanes) unit[row * width + k] = x[k] * of_row;
  if (lane == 0) inverse[row] = of_row;
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    project_kernel(CudaUnitRows<T> rows, const T* in, T* change) {
  const int64_t row = warp_index(), width = rows.width, start = row * width;
  if (row >= rows.count) return;
  const T inverse = rows.inverse[row];
  const T dot = warp_dot(width, rows.unit + start, in + start);
  const T along = is_short_row(inverse) ? T(0) : dot;
  for (int64_t k = start + threadIdx.x % kLanes; k < start + width; k += kLanes) {
    change[k] = unit_change(in[k], rows.unit[k], along, inverse);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    project_changed_kernel(CudaUnitRows<T> rows, UnitRowsMoved<T> moved, T* change) {
  const int64_t row = warp_index(), width = rows.width, start = row * width;
  if (row >= rows.count) return;
  const T* unit = rows.unit + start;
  const T inverse = rows.inverse[row];
  const T rate = warp_dot(width, unit, moved.tangent + start) * inverse;
  const T turn = warp_dot(width, moved.turned + start, moved.grad + start) / inverse;
  const T with_unit = turn + warp_dot(width, unit, change + start);
  UnitRowChange<T> changed{0, 0, 0, inverse};
  if (!is_short_row(inverse)) changed = {moved.along[row], rate, with_unit, inverse};
  for (int64_t k = start + threadIdx.x % kLanes; k < start + width; k += kLanes) {
    change[k] = changed(change[k], rows.unit[k], moved.turned[k], moved.grad[k]);
  }
}

}  // namespace

template <class T>
CudaUnitRows<T> unit_rows(const Cuda& cuda, int64_t count, int64_t width, const T* rows) {
  T *unit = cuda.scratch<T>(count * width), *inverse = cuda.scratch<T>(count);
  launch(cuda, blocks_of_warps(count, kThreads), kThreads, unit_kernel<T>, count, width, rows, unit,
         inverse);
  return {count, width, unit, inverse};
}

template <class T>
void project(const CudaUnitRows<T>& rows, const Cuda& cuda, const T* in, T* change) {
  launch(cuda, blocks_of_warps(rows.count, kThreads), kThreads, project_kernel<T>, rows, in,
         change);
}

template <class T>
void project_changed(const CudaUnitRows<T>& rows, const Cuda& cuda, const UnitRowsMoved<T>& moved,
                     T* change) {
  launch(cuda, blocks_of_warps(rows.count, kThreads), kThreads, project_changed_kernel<T>, rows,
         moved, change);
}

#define DEEPTF_INSTANTIATE(T)                                                                    \
  template CudaUnitRows<T> unit_rows<T>(const Cuda&, int64_t, int64_t, const T*);                \
  template void project<T>(const CudaUnitRows<T>&, const Cuda&, const T*, T*);                   \
  template void project_changed<T>(const CudaUnitRows<T>&, const Cuda&, const UnitRowsMoved<T>&, \
                                   T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
