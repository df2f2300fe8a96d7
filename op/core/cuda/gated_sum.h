// Sums with gates and the derivatives that training needs (curve/gated_sum.h) on a GPU; what
// embedding_sum.h says holds here too.
#pragma once

#include "core/cuda/cuda.h"
#include "core/cuda/curve_pairs.h"
#include "core/curve/gated_sum.h"

namespace deeptf {

template <class T>
void gated_sum(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Cuda& cuda, const double* rows, T* sum, const OutsidePairs& outside);
// Throws Error for a width above 256. Fills share_grad [p] where there are shares.
template <class T>
void gated_sum_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                    const Cuda& cuda, const double* rows, const T* upper, double* rows_grad,
                    double* share_grad);
template <class T>
void gated_sum_tangent(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Cuda& cuda, const double* rows, const GatedDirection& direction,
                       T* tangent);
// Both fill gate_grad [T, T, M].
template <class T>
void gate_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
               const Cuda& cuda, const double* rows, const T* upper, T* gate_grad);
template <class T>
void gate_tangent_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                       const Cuda& cuda, const double* rows, const GatedDirection& direction,
                       const T* upper, T* gate_grad);
// Both fill an array like table.nodes, which is not read.
template <class T>
void gated_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Gates<T>& gates,
                      const Cuda& cuda, const double* rows, const T* upper, T* nodes_grad);
template <class T>
void gated_tangent_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table,
                              const Gates<T>& gates, const Cuda& cuda, const double* rows,
                              const GatedDirection& direction, const T* upper, T* nodes_grad);

}  // namespace deeptf
