// See neighbor_sum.h. Columns of the weights are taken kGroup at a time. Sums and gradients to the
// values have a thread for each atom and column m; in gradients to the weights a warp has a pair,
// and adds over m by shuffles.
#include "core/cuda/device.h"
#include "core/cuda/neighbor_sum.h"
#include "core/cuda/runs.h"

namespace deeptf {
namespace {

constexpr int kGroup = 4, kWarps = 4;

// Of kGroup columns from `start` on, so many are there.
DEEPTF_HD inline int columns_in(const Runs& runs, int64_t start) {
  const int64_t left = runs.columns - start;
  return static_cast<int>(left < kGroup ? left : kGroup);
}

int64_t groups_of(const Runs& runs) { return (runs.columns + kGroup - 1) / kGroup; }

template <class T>
struct Sum {
  PlacedRuns runs;
  const T *weight, *value;
  T* sum;

  DEEPTF_HD void operator()(int64_t k) const {  // [n, groups, M]
    const int64_t m = k % runs.width, groups = (runs.columns + kGroup - 1) / kGroup;
    const int64_t atom = k / runs.width / groups, start = k / runs.width % groups * kGroup;
    const int columns = columns_in(runs, start);
    T total[kGroup] = {};
    const int64_t first = runs.first[atom], end = first + runs.count[atom];
    for (int64_t pair = first; pair < end; ++pair) {
      const T v = value[pair * runs.width + m];
      for (int c = 0; c < kGroup; ++c) {
        if (c < columns) total[c] += weight[pair * runs.columns + start + c] * v;
      }
    }
    for (int c = 0; c < kGroup; ++c) {
      if (c < columns) sum[(atom * runs.columns + start + c) * runs.width + m] = total[c];
    }
  }
};

template <class T>
struct ValueGrad {
  PlacedRuns runs;
  const T *weight, *grad;
  T* value_grad;

  DEEPTF_HD void operator()(int64_t k) const {  // [n, M]
    const int64_t atom = k / runs.width, m = k % runs.width, W = runs.columns;
    const T* g = grad + atom * W * runs.width + m;
    const int64_t first = runs.first[atom], end = first + runs.count[atom];
    for (int64_t pair = first; pair < end; ++pair) {
      T total = 0;
      for (int64_t w = 0; w < W; ++w) total += weight[pair * W + w] * g[w * runs.width];
      value_grad[pair * runs.width + m] = total;
    }
  }
};

// blockIdx.y counts groups of columns.
template <class T>
__global__ void __launch_bounds__(kWarps* kLanes)
    weight_grad_kernel(PlacedRuns runs, const T* value, const T* grad, T* weight_grad) {
  const int64_t atom = blockIdx.x, start = int64_t{blockIdx.y} * kGroup, width = runs.width;
  const int lane = threadIdx.x % kLanes, columns = columns_in(runs, start);
  const T* g = grad + (atom * runs.columns + start) * width;
  const int64_t first = runs.first[atom], end = first + runs.count[atom];
  for (int64_t pair = first + threadIdx.x / kLanes; pair < end; pair += kWarps) {
    T total[kGroup] = {};
    for (int64_t m = lane; m < width; m += kLanes) {
      const T v = value[pair * width + m];
#pragma unroll
      for (int c = 0; c < kGroup; ++c) {
        if (c < columns) total[c] += v * g[c * width + m];
      }
    }
    const T one = warp_sums(total);
    if (lane < columns) weight_grad[pair * runs.columns + start + lane] = one;
  }
}

}  // namespace

template <class T>
void neighbor_sum(const Runs& runs, const Cuda& cuda, const T* weight, const T* value, T* sum) {
  for_each(cuda, runs.num_atoms * groups_of(runs) * runs.width,
           Sum<T>{place_runs(runs, cuda), weight, value, sum});
}

template <class T>
void neighbor_sum_value_grad(const Runs& runs, const Cuda& cuda, const T* weight, const T* grad,
                             T* value_grad) {
  for_each(cuda, runs.num_atoms * runs.width,
           ValueGrad<T>{place_runs(runs, cuda), weight, grad, value_grad});
}

template <class T>
void neighbor_sum_weight_grad(const Runs& runs, const Cuda& cuda, const T* value, const T* grad,
                              T* weight_grad) {
  const dim3 grid(static_cast<unsigned>(runs.num_atoms), static_cast<unsigned>(groups_of(runs)));
  launch(cuda, grid, kWarps * kLanes, weight_grad_kernel<T>, place_runs(runs, cuda), value, grad,
         weight_grad);
}

#define DEEPTF_INSTANTIATE(T)                                                                 \
  template void neighbor_sum<T>(const Runs&, const Cuda&, const T*, const T*, T*);            \
  template void neighbor_sum_value_grad<T>(const Runs&, const Cuda&, const T*, const T*, T*); \
  template void neighbor_sum_weight_grad<T>(const Runs&, const Cuda&, const T*, const T*, T*);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
