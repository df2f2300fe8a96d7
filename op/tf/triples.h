// What the bindings of TripleProducts and TripleSums do on any device; see core/geometry/triples.h.
#pragma once

#include "core/base/scratch.h"
#include "core/geometry/triples.h"
#include "tf/binding.h"

namespace deeptf {

// From the input `rows`, b [p, 4], and the last one, neighbor_count [n, T].
inline NeighborRuns neighbor_runs(OpKernelContext* context, int rows) {
  const Tensor& neighbor_count = input(context, 2, "neighbor_count", {-1, -1});
  return {neighbor_count.dim_size(0), input(context, rows, "b", {-1, 4}).dim_size(0),
          neighbor_count.dim_size(1), data<int32_t>(neighbor_count)};
}

// What the kernels take of them; a GPU's want more (tf/cuda/triples.cc).
inline const NeighborRuns& placed(const NeighborRuns& runs, const Context&) { return runs; }
inline int64_t counted(const NeighborRuns& runs, const Context&, int32_t* triple_count) {
  return count_triples(runs, triple_count);
}

template <class Device>
void products_of_triples(OpKernelContext* context, const NoAttributes&) {
  const auto kernel = Device::of(context);
  const NeighborRuns runs = neighbor_runs(context, 1);
  const Tensor& a = input(context, 0, "a", {runs.num_pairs, 4});
  int32_t* count = output<int32_t>(context, 1, {runs.num_atoms, runs.num_blocks()});
  const auto on = placed(runs, kernel);
  double* products = output<double>(context, 0, {counted(on, kernel, count)});
  triple_products(on, kernel, data<double>(a), data<double>(context->input(1)), products);
}

template <class Device>
void sums_of_triples(OpKernelContext* context, const NoAttributes&) {
  const auto kernel = Device::of(context);
  const NeighborRuns runs = neighbor_runs(context, 0);
  int64_t triples = -1;
  if constexpr (Device::kOnHost) {
    Scratch<int32_t> count(runs.num_atoms * runs.num_blocks());
    triples = count_triples(runs, count.data());
  }
  const Tensor& upper = input(context, 1, "upper", {triples});
  double* sums = output<double>(context, 0, {runs.num_pairs, 4});
  triple_sums(placed(runs, kernel), kernel, data<double>(context->input(0)), data<double>(upper),
              sums);
}

}  // namespace deeptf
