// Formulas of triples that the CPU and the CUDA kernels share; see triples.h.
#pragma once

#include <cstdint>

#include "core/base/host_device.h"

namespace deeptf {

constexpr int64_t kTripleRow = 4;  // numbers of a row; the last three are a vector

// Triples of one centre in a block with so many neighbours of the first type and of the second.
DEEPTF_HD inline int64_t triples_in_block(int64_t of_first, int64_t of_second, bool same) {
  return same ? of_first * (of_first - 1) / 2 : of_first * of_second;
}

DEEPTF_HD inline double row_product(const double* a, const double* b) {
  return a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

// q_jk from the arrays of rows.
DEEPTF_HD inline double triple_product(const double* a, const double* b, int64_t j, int64_t k) {
  j *= kTripleRow;
  k *= kTripleRow;
  return (row_product(a + j, b + k) + row_product(a + k, b + j)) / 2;
}

}  // namespace deeptf
