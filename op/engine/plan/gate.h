// Shares of the pairs of a block on the CPU, and the gates of nets, which go with them.
#pragma once

#include "engine/plan/gate_constants.h"
#include "engine/plan/values.h"

namespace deeptf {

// The shares p [p] of pairs with these rows; null where each is 1.
inline const double* shares_of(const ShareConstants& constants, const AtomBlock& block,
                               const double* rows, Values& values) {
  if (!constants.fade()) return nullptr;
  const ShareFormula formula = constants.formula();
  double* to = values.keep<double>(block.num_pairs);
  for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
    to[pair] = formula.share(block.type[block.centre[pair]], rows[4 * pair]);
  }
  return to;
}

// Their derivatives in the first numbers of the rows; null where they have none.
inline const double* slopes_of_shares(const ShareConstants& constants, const AtomBlock& block,
                                      const double* rows, Values& values) {
  if (!constants.fade()) return nullptr;
  const ShareFormula formula = constants.formula();
  double* to = values.keep<double>(block.num_pairs);
  for (int64_t pair = 0; pair < block.num_pairs; ++pair) {
    to[pair] = formula.slope(block.type[block.centre[pair]], rows[4 * pair]);
  }
  return to;
}

// Multiplies value and slope of the net of a pair by its gate, if there are any; the share has a
// slope too. Shares and their slopes are those of all pairs, or null.
template <class T>
void apply_gate(const GateConstants<T>& gates, int64_t block, int64_t pair, const double* shares,
                const double* slopes, T* value, T* slope) {
  if (!gates.given()) return;
  const T* gate = gates.gate.data() + block * gates.width;
  const T share = shares == nullptr ? T(1) : static_cast<T>(shares[pair]);
  const T rise = slopes == nullptr ? T(0) : static_cast<T>(slopes[pair]);
#pragma omp simd
  for (int64_t m = 0; m < gates.width; ++m) {
    const T factor = T(1) + share * gate[m];
    slope[m] = factor * slope[m] + rise * gate[m] * value[m];
    value[m] *= factor;
  }
}

}  // namespace deeptf
