// Pairs that belong to atoms one after the other: atom a owns count[a] consecutive pairs.
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/base/scratch.h"

namespace deeptf {

struct Runs {
  int64_t num_atoms;     // n
  int64_t num_pairs;     // p
  int64_t columns;       // W
  int64_t width;         // M
  const int32_t* count;  // [n]
};

// Throws Error unless the counts are positive or zero and add up to num_pairs.
void check_runs(const Runs& runs);

// Calls body(atom, first pair) for every atom; `work` is the number of multiply-adds of a pair.
template <class Body>
void over_atoms(const Runs& runs, int64_t work, const Context& context, const Body& body) {
  Scratch<int64_t> first(runs.num_atoms + 1, 0);
  for (int64_t atom = 0; atom < runs.num_atoms; ++atom) {
    first[atom + 1] = first[atom] + runs.count[atom];
  }
  const int64_t cycles = runs.num_atoms == 0 ? 1 : 100 + runs.num_pairs * work / runs.num_atoms / 4;
  context.parallel(runs.num_atoms, cycles, [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) body(atom, first[atom]);
  });
}

}  // namespace deeptf
