// Sums of tabulated nets and the derivatives that training needs (curve/sum.h) on a GPU.
//
// All pointers are on the device. `num_needed` of a table may be larger than the number of needed
// nodes: what lies behind them is not used, and has the gradient zero. So the host need not know
// the number. Bits depend neither on the order of blocks nor on the device.
//
// Nothing waits for the device, so nothing is refused: a row that is not finite, or lies between
// nodes that the table does not hold, makes a sum that is not a number.
#pragma once

#include "core/cuda/cuda.h"
#include "core/cuda/curve_pairs.h"
#include "core/curve/sum.h"

namespace deeptf {

template <class T>
void embedding_sum(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                   const double* rows, T* sum, const OutsidePairs& outside);
// Throws Error for a width above 256.
template <class T>
void embedding_sum_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                        const double* rows, const T* upper, double* rows_grad);
template <class T>
void embedding_sum_tangent(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                           const double* rows, const double* direction, T* tangent);
// The two below fill an array like table.nodes, which is not read.
template <class T>
void embedding_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table, const Cuda& cuda,
                          const double* rows, const T* upper, T* nodes_grad);
template <class T>
void embedding_tangent_table_grad(const PlacedPairs& pairs, const CurveTable<T>& table,
                                  const Cuda& cuda, const double* rows, const double* direction,
                                  const T* upper, T* nodes_grad);

}  // namespace deeptf
