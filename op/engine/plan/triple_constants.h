// What the stages with sums over triples read alike, for any device.
#pragma once

#include <string>
#include <vector>

#include "core/geometry/triples.h"
#include "engine/plan/stage.h"

namespace deeptf {

inline int64_t blocks_of_triples(int64_t types) {
  return NeighborRuns{0, 0, types, nullptr}.num_blocks();
}

// The number of the value that a stage takes.
inline int rows_of_triples(const StageReader& reader) {
  const ValueType& rows = reader.type_of(reader.takes());
  if (!rows.of_pairs || rows.width != 4) throw Error("a sum over triples must take rows of 4");
  return reader.takes();
}

// The net of each block and type of the centre [B, B]: blocks stand for types of neighbours, and
// types of centres do not matter.
inline std::vector<int32_t> nets_of_triples(int64_t nets, int64_t types) {
  const int64_t blocks = blocks_of_triples(types);
  if (nets != blocks) {
    throw Error("a sum over triples must have " + std::to_string(blocks) + " nets for " +
                std::to_string(types) + " types, got " + std::to_string(nets));
  }
  std::vector<int32_t> curve;
  for (int64_t k = 0; k < blocks * blocks; ++k) {
    curve.push_back(static_cast<int32_t>(k / blocks));
  }
  return curve;
}

}  // namespace deeptf
