// What the bindings of PairTableEnergy, ZblEnergy and SoftMinimum do on any device; see
// core/short_range/centre_pairs.h.
#pragma once

#include <algorithm>
#include <string>

#include "core/short_range/centre_pairs.h"
#include "tf/binding.h"

namespace deeptf {

// Reads the first inputs: displacement, type, neighbor_count, first_pair.
template <class Device>
CentrePairs centre_pairs(OpKernelContext* context) {
  const Tensor& displacement = input(context, 0, "displacement", {-1, 3});
  const Tensor& count = input(context, 2, "neighbor_count", {-1, -1});
  const int64_t atoms = count.dim_size(0), types = count.dim_size(1);
  const CentrePairs in{
      atoms,
      displacement.dim_size(0),
      types,
      data<int32_t>(input(context, 1, "type", {atoms})),
      data<int32_t>(count),
      data<int32_t>(input(context, 3, "first_pair", {atoms, types})),
      types,
      1,
      data<double>(displacement),
  };
  if constexpr (Device::kOnHost) check_centre_pairs(in);
  return in;
}

// What a pair is called, by the inputs `first` to first + 2: centre, neighbor, frame_row.
inline std::string name_of_pair(OpKernelContext* context, int first, int64_t pair) {
  const int64_t pairs = context->input(0).dim_size(0);
  const int32_t* centre = data<int32_t>(input(context, first, "centre", {pairs}));
  const int32_t* neighbor = data<int32_t>(input(context, first + 1, "neighbor", {pairs}));
  const Tensor& rows = input(context, first + 2, "frame_row", {-1});
  const int32_t *row = data<int32_t>(rows), *end = row + rows.dim_size(0);
  const int64_t frame = std::max<int64_t>(std::upper_bound(row, end, centre[pair]) - row - 1, 0);
  const int32_t before = rows.dim_size(0) > 0 ? row[frame] : 0;
  return "atoms " + std::to_string(centre[pair] - before) + " and " +
         std::to_string(neighbor[pair] - before) + " of frame " + std::to_string(frame);
}

template <class Device>
void energies_of_table(OpKernelContext* context, const NoAttributes&) {
  const auto in = centre_pairs<Device>(context);
  const Tensor& nodes =
      input(context, 4, "nodes", {in.num_types * (in.num_types + 1) / 2, -1, 2});
  const double* grid = data<double>(input(context, 5, "grid", {3}));
  const PairTable table{in.num_types, nodes.dim_size(1), grid[0], grid[1], grid[2],
                        data<double>(nodes)};
  if (table.num_nodes < 2 || !(table.step > 0)) {
    throw Error("`nodes` must be at least 2 of each two types and their step positive, got " +
                std::to_string(table.num_nodes) + " and " + std::to_string(table.step));
  }
  const int64_t wrong = pair_energies(in, table, Device::of(context),
                                      output<double>(context, 0, {in.num_atoms}),
                                      output<double>(context, 1, {in.num_pairs, 3}));
  if (wrong >= 0) {
    throw Error(name_of_pair(context, 6, wrong) + below_table(table, in.displacement + 3 * wrong));
  }
}

template <class Device>
void energies_of_zbl(OpKernelContext* context, const NoAttributes&) {
  const auto in = centre_pairs<Device>(context);
  const Tensor& number = input(context, 4, "atomic_number", {in.num_types});
  const double* ends = data<double>(input(context, 5, "ends", {2}));
  if (!(ends[0] > 0 && ends[0] < ends[1])) {
    throw Error("`ends` must be positive and rise, got " + std::to_string(ends[0]) + " and " +
                std::to_string(ends[1]));
  }
  pair_energies(in, Zbl{ends[0], ends[1], data<double>(number)}, Device::of(context),
                output<double>(context, 0, {in.num_atoms}),
                output<double>(context, 1, {in.num_pairs, 3}));
}

template <class Device>
void switches(OpKernelContext* context, const NoAttributes&) {
  const auto in = centre_pairs<Device>(context);
  const double* of = data<double>(input(context, 4, "lengths", {3}));
  if (!(of[0] > 0 && of[1] < of[2])) {
    throw Error("`lengths` must be a positive alpha and rising ends, got " +
                std::to_string(of[0]) + ", " + std::to_string(of[1]) + " and " +
                std::to_string(of[2]));
  }
  soft_minimum(in, {of[0], of[1], of[2]}, Device::of(context),
               output<double>(context, 0, {in.num_atoms}),
               output<double>(context, 1, {in.num_pairs, 3}));
}

}  // namespace deeptf
