// What the bindings of Environment, EnvironmentGrad and EnvironmentGradGrad do on any device; see
// core/geometry/environment.h.
#pragma once

#include <string>

#include "core/geometry/environment.h"
#include "tf/binding.h"

namespace deeptf {

// Reads the inputs from `shift` on: displacement, centre, atom_type, mean, stddev, rcut_smth, rcut.
template <class Device>
EnvironmentInputs environment_inputs(OpKernelContext* context, int shift) {
  const Tensor& displacement = input(context, shift, "displacement", {-1, 3});
  const Tensor& atom_type = input(context, shift + 2, "atom_type", {-1});
  const Tensor& mean = input(context, shift + 3, "mean", {-1, -1});
  const int64_t pairs = displacement.dim_size(0);
  const EnvironmentInputs in{
      pairs,
      atom_type.dim_size(0),
      static_cast<int32_t>(mean.dim_size(0)),
      mean.dim_size(1),
      data<double>(displacement),
      data<int32_t>(input(context, shift + 1, "centre", {pairs})),
      data<int32_t>(atom_type),
      data<double>(mean),
      data<double>(input(context, shift + 4, "stddev", {mean.dim_size(0), mean.dim_size(1)})),
      *data<double>(input(context, shift + 5, "rcut_smth", {})),
      *data<double>(input(context, shift + 6, "rcut", {})),
  };
  if (in.columns != 1 && in.columns != 4) {
    throw Error("`mean` must have 1 or 4 columns, got " + std::to_string(in.columns));
  }
  if (!(in.rcut_smth >= 0 && in.rcut_smth < in.rcut)) {
    throw Error("`rcut_smth` must be from 0 to below `rcut`, got " + std::to_string(in.rcut_smth) +
                " and " + std::to_string(in.rcut));
  }
  if constexpr (Device::kOnHost) check_environment(in, Device::of(context));
  return in;
}

template <class Device>
void environment_rows(OpKernelContext* context, const NoAttributes&) {
  const auto in = environment_inputs<Device>(context, 0);
  environment(in, Device::of(context), output<double>(context, 0, {in.num_pairs, in.columns}));
}

template <class Device>
void environment_rows_grad(OpKernelContext* context, const NoAttributes&) {
  const auto in = environment_inputs<Device>(context, 1);
  const Tensor& row_grad = input(context, 0, "row_grad", {in.num_pairs, in.columns});
  environment_grad(in, Device::of(context), data<double>(row_grad),
                   output<double>(context, 0, {in.num_pairs, 3}));
}

template <class Device>
void environment_rows_grad_grad(OpKernelContext* context, const NoAttributes&) {
  const auto in = environment_inputs<Device>(context, 1);
  const Tensor& upstream = input(context, 0, "upstream", {in.num_pairs, 3});
  environment_grad_grad(in, Device::of(context), data<double>(upstream),
                        output<double>(context, 0, {in.num_pairs, in.columns}));
}

}  // namespace deeptf
