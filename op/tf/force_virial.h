// What the bindings of ForceVirial, ForceVirialGrad and AtomVirial do on any device; see
// core/geometry/force_virial.h.
#pragma once

#include "core/geometry/force_virial.h"
#include "tf/binding.h"

namespace deeptf {

// Checked inputs `displacement`, `centre`, `neighbor` and `frame_row` from `first` on.
template <class Device>
ForceInputs force_inputs(OpKernelContext* context, int first, int64_t num_all, bool neighbors) {
  const int64_t pairs = input(context, first, "displacement", {-1, 3}).dim_size(0);
  const Tensor& neighbor = input(context, first + 2, "neighbor", {pairs});
  const Tensor& rows = input(context, first + 3, "frame_row", {-1});
  if (rows.dim_size(0) < 1) throw Error("`frame_row` must have F + 1 elements, got none");
  const ForceInputs in{pairs,
                       num_all,
                       rows.dim_size(0) - 1,
                       data<double>(context->input(first)),
                       data<int32_t>(input(context, first + 1, "centre", {pairs})),
                       neighbors ? data<int32_t>(neighbor) : nullptr,
                       data<int32_t>(rows)};
  if constexpr (Device::kOnHost) check_force(in, Device::of(context));
  return in;
}

// Inputs `pair_row` and `pair_of` from `first` on.
inline PairsOfAtoms reverse_from(OpKernelContext* context, int first, int64_t num_pairs) {
  const Tensor& row = input(context, first, "pair_row", {-1});
  if (row.dim_size(0) < 1) throw Error("`pair_row` must have N_all + 1 elements, got none");
  PairsOfAtoms pairs{};
  pairs.num_pairs = num_pairs;
  pairs.num_all = row.dim_size(0) - 1;
  pairs.pair_row = data<int32_t>(row);
  pairs.pair_of = data<int32_t>(input(context, first + 1, "pair_of", {num_pairs}));
  return pairs;
}

template <class Device>
void force_and_virial(OpKernelContext* context, const NoAttributes&) {
  const Tensor& gradient = input(context, 0, "pair_gradient", {-1, 3});
  PairsOfAtoms pairs = reverse_from(context, 8, gradient.dim_size(0));
  const Tensor& order = input(context, 5, "atom_order", {-1});
  const Tensor& first = input(context, 6, "first_pair", {order.dim_size(0), -1});
  pairs.num_real = first.dim_size(0);
  pairs.num_types = first.dim_size(1);
  pairs.atom_order = data<int32_t>(order);
  pairs.first_pair = data<int32_t>(first);
  pairs.neighbor_count =
      data<int32_t>(input(context, 7, "neighbor_count", {pairs.num_real, pairs.num_types}));
  input(context, 1, "displacement", {pairs.num_pairs, 3});
  const ForceInputs in = force_inputs<Device>(context, 1, pairs.num_all, false);
  double* force = output<double>(context, 0, {in.num_all, 3});
  double* virial = output<double>(context, 1, {in.num_frames, 9});
  force_virial(in, pairs, Device::of(context), data<double>(gradient), force, virial);
}

// The last five inputs are for its own gradient, which is a force again.
template <class Device>
void force_and_virial_grad(OpKernelContext* context, const NoAttributes&) {
  const Tensor& force_grad = input(context, 0, "force_grad", {-1, 3});
  const ForceInputs in = force_inputs<Device>(context, 2, force_grad.dim_size(0), true);
  const Tensor& virial_grad = input(context, 1, "virial_grad", {in.num_frames, 9});
  force_virial_grad(in, Device::of(context), data<double>(force_grad), data<double>(virial_grad),
                    output<double>(context, 0, {in.num_pairs, 3}));
}

template <class Device>
void virial_of_atoms(OpKernelContext* context, const NoAttributes&) {
  const Tensor& gradient = input(context, 0, "pair_gradient", {-1, 3});
  const PairsOfAtoms pairs = reverse_from(context, 2, gradient.dim_size(0));
  const Tensor& displacement = input(context, 1, "displacement", {pairs.num_pairs, 3});
  atom_virial(pairs, Device::of(context), data<double>(displacement), data<double>(gradient),
              output<double>(context, 0, {pairs.num_all, 9}));
}

}  // namespace deeptf
