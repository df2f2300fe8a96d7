// What the stages with sums over triples are made of, and whether it can be used.
#pragma once

#include <string>
#include <vector>

#include "core/geometry/triples.h"
#include "engine/plan/pair_nets.h"
#include "engine/plan/table_constants.h"

namespace deeptf {

// A sum over triples: blocks stand for types of neighbours, and types of centres do not matter.
struct TripleConstants {
  // Throws Error where something is not as it must be.
  TripleConstants(const StageReader& reader, int64_t nets)
      : types(reader.inputs.num_types),
        blocks(NeighborRuns{0, 0, types, nullptr}.num_blocks()),
        takes(reader.takes()) {
    const ValueType& rows = reader.type_of(takes);
    if (!rows.of_pairs || rows.width != 4) throw Error("a sum over triples must take rows of 4");
    if (nets != blocks) {
      throw Error("a sum over triples must have " + std::to_string(blocks) + " nets for " +
                  std::to_string(types) + " types, got " + std::to_string(nets));
    }
    for (int64_t k = 0; k < blocks * blocks; ++k) {
      curve.push_back(static_cast<int32_t>(k / blocks));
    }
    none.resize(curve.size());
  }

  int64_t types, blocks;  // T, B
  int takes;
  std::vector<int32_t> curve;  // [B, B] the net of each block and type of the centre
  std::vector<double> none;    // [B, B] places without a neighbour: none, they add nothing
};

// With nets as tables.
template <class T>
struct TripleSumConstants {
  explicit TripleSumConstants(const StageReader& reader)
      : table(reader),
        triples(reader, table.num_curves()),
        bent(reader.fields.at("bent").boolean()),
        gives(reader.gives(ValueType{table.width, false, kPrecision<T>})) {}

  TableConstants<T> table;
  TripleConstants triples;
  bool bent;  // whether tables are by asinh of the products
  int gives;
};

// With nets that are evaluated for each triple.
template <class T>
struct TripleNetworkSumConstants {
  explicit TripleNetworkSumConstants(const StageReader& reader)
      : nets(reader),
        triples(reader, nets.number()),
        shares(reader.constant<double>("shares", {triples.blocks})),
        gives(reader.gives({nets.width(), false, kPrecision<T>})) {}

  PairNets<T> nets;
  TripleConstants triples;
  Aligned<double> shares;  // [B]
  int gives;
};

}  // namespace deeptf
