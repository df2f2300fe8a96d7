// What the stages with sums over neighbours are made of, and whether it can be used.
#pragma once

#include "core/curve/sum.h"
#include "engine/plan/gate_constants.h"
#include "engine/plan/pair_nets.h"
#include "engine/plan/table_constants.h"
#include "engine/plan/values.h"

namespace deeptf {

// Which net belongs to which types, and the places without a neighbour.
struct SumLayout {
  // Throws Error where something is not as it must be.
  SumLayout(const StageReader& reader, int64_t num_curves)
      : takes(reader.takes()),
        types(reader.inputs.num_types),
        columns(reader.integer("columns", 1, 4)),
        curve(reader.curve(num_curves)),
        sel(reader.constant<double>("sel", {types})),
        empty(reader.constant<double>("empty", {types, types})) {
    const ValueType& rows = reader.type_of(takes);
    if (!rows.of_pairs || rows.width != columns || (columns != 1 && columns != 4)) {
      throw Error("a sum over neighbours must take rows of its 1 or 4 `columns`");
    }
  }

  CurvePairs pairs(const AtomBlock& block) const {
    return {block.num_atoms,      block.num_pairs, types,      columns,     block.atom_count,
            block.neighbor_count, curve.data(),    sel.data(), empty.data()};
  }

  int takes;
  int64_t types, columns;
  Aligned<int32_t> curve;  // [T, T] neighbour type first
  Aligned<double> sel, empty;
};

// Of sums with gates or without.
template <class T>
struct NeighborSumConstants : SumLayout {
  // Nets have `width` values.
  NeighborSumConstants(const StageReader& reader, int64_t num_curves, int64_t width)
      : SumLayout(reader, num_curves),
        gates(reader, columns, width),
        gives(reader.gives({columns * width, false, kPrecision<T>})) {}

  GateConstants<T> gates;
  int gives;
};

// With nets as tables.
template <class T>
struct EmbeddingSumConstants {
  explicit EmbeddingSumConstants(const StageReader& reader)
      : table(reader), sum(reader, table.num_curves(), table.width) {}

  TableConstants<T> table;
  NeighborSumConstants<T> sum;
};

// With nets that are evaluated for each pair.
template <class T>
struct NetworkSumConstants {
  explicit NetworkSumConstants(const StageReader& reader)
      : nets(reader), sum(reader, nets.number(), nets.width()), alone(values_of_empty()) {}

  PairNets<T> nets;
  NeighborSumConstants<T> sum;
  Aligned<T> alone;  // [T, T, M] at places without a neighbour; 0 where types have no net

 private:
  Aligned<T> values_of_empty() const {
    const int64_t blocks = sum.types * sum.types, width = nets.width();
    Aligned<T> values{{blocks, width}, AlignedVector<T>(blocks * width, T(0))};
    for (int64_t k = 0; k < blocks; ++k) {
      if (sum.curve[k] < 0) continue;
      nets.write_at(sum.empty[k], sum.curve[k], values.data() + k * width);
    }
    return values;
  }
};

}  // namespace deeptf
