// See runs.h.
#include "core/moments/runs.h"

#include <string>

#include "core/base/error.h"

namespace deeptf {

void check_runs(const Runs& runs) {
  int64_t pairs = 0;
  for (int64_t atom = 0; atom < runs.num_atoms; ++atom) {
    if (runs.count[atom] < 0) {
      throw Error("`count` must not be negative, got " + std::to_string(runs.count[atom]) +
                  " at atom " + std::to_string(atom));
    }
    pairs += runs.count[atom];
  }
  if (pairs != runs.num_pairs) {
    throw Error("`count` must add up to the number of pairs " + std::to_string(runs.num_pairs) +
                ", got " + std::to_string(pairs));
  }
}

}  // namespace deeptf
