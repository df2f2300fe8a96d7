// Rows of unit length and their derivatives (nets/unit_rows.h) on a GPU.
#pragma once

#include <cstdint>

#include "core/cuda/cuda.h"

namespace deeptf {

template <class T>
struct CudaUnitRows {
  int64_t count, width;
  const T *unit, *inverse;  // [count, width] x^ and [count] 1 / |x|
};

// In scratch memory.
template <class T>
CudaUnitRows<T> unit_rows(const Cuda& cuda, int64_t count, int64_t width, const T* rows);

// UnitRows::project; change may be in.
template <class T>
void project(const CudaUnitRows<T>& rows, const Cuda& cuda, const T* in, T* change);

// Arguments of UnitRows::project_changed.
template <class T>
struct UnitRowsMoved {
  const T *along, *grad, *tangent, *turned;
};
template <class T>
void project_changed(const CudaUnitRows<T>& rows, const Cuda& cuda, const UnitRowsMoved<T>& moved,
                     T* change);

}  // namespace deeptf
