// What the bindings of NeighborSum, NeighborSumValueGrad and NeighborSumWeightGrad do on any
// device; see core/moments/neighbor_sum.h.
#pragma once

#include "core/moments/neighbor_sum.h"
#include "tf/binding.h"

namespace deeptf {

template <class Device, class T>
void sum_of_neighbors(OpKernelContext* context, const NoAttributes&) {
  const Tensor& count = input(context, 0, "count", {-1});
  const Tensor& weight = input(context, 1, "weight", {-1, -1});
  const Tensor& value = input(context, 2, "value", {weight.dim_size(0), -1});
  const Runs runs{count.dim_size(0), weight.dim_size(0), weight.dim_size(1), value.dim_size(1),
                  data<int32_t>(count)};
  if constexpr (Device::kOnHost) check_runs(runs);
  T* sum = output<T>(context, 0, {runs.num_atoms, runs.columns, runs.width});
  neighbor_sum(runs, Device::of(context), data<T>(weight), data<T>(value), sum);
}

template <class Device, class T>
void sum_of_neighbors_value_grad(OpKernelContext* context, const NoAttributes&) {
  const Tensor& count = input(context, 0, "count", {-1});
  const Tensor& weight = input(context, 1, "weight", {-1, -1});
  const Tensor& grad = input(context, 2, "grad", {count.dim_size(0), weight.dim_size(1), -1});
  const Runs runs{count.dim_size(0), weight.dim_size(0), weight.dim_size(1), grad.dim_size(2),
                  data<int32_t>(count)};
  if constexpr (Device::kOnHost) check_runs(runs);
  T* value_grad = output<T>(context, 0, {runs.num_pairs, runs.width});
  neighbor_sum_value_grad(runs, Device::of(context), data<T>(weight), data<T>(grad), value_grad);
}

template <class Device, class T>
void sum_of_neighbors_weight_grad(OpKernelContext* context, const NoAttributes&) {
  const Tensor& count = input(context, 0, "count", {-1});
  const Tensor& value = input(context, 1, "value", {-1, -1});
  const Tensor& grad = input(context, 2, "grad", {count.dim_size(0), -1, value.dim_size(1)});
  const Runs runs{count.dim_size(0), value.dim_size(0), grad.dim_size(1), value.dim_size(1),
                  data<int32_t>(count)};
  if constexpr (Device::kOnHost) check_runs(runs);
  T* weight_grad = output<T>(context, 0, {runs.num_pairs, runs.columns});
  neighbor_sum_weight_grad(runs, Device::of(context), data<T>(value), data<T>(grad), weight_grad);
}

}  // namespace deeptf
