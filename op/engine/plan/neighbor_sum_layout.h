// What the stages with sums over neighbours read alike: which net belongs to which types, and the
// places without a neighbour.
#pragma once

#include "core/curve/sum.h"
#include "engine/plan/stage.h"

namespace deeptf {

struct SumLayout {
  SumLayout(const StageReader& reader, int64_t num_curves)
      : types(reader.inputs.num_types),
        columns(reader.integer("columns", 1, 4)),
        curve(reader.curve(num_curves)),
        sel(reader.constant<double>("sel", {types})),
        empty(reader.constant<double>("empty", {types, types})) {
    const int taken = reader.takes();
    const ValueType& rows = reader.type_of(taken);
    if (!rows.of_pairs || rows.width != columns || (columns != 1 && columns != 4)) {
      throw Error("a sum over neighbours must take rows of its 1 or 4 `columns`");
    }
  }

  CurvePairs pairs(const AtomBlock& block) const {
    return {block.num_atoms,      block.num_pairs, types,      columns,     block.atom_count,
            block.neighbor_count, curve.data(),    sel.data(), empty.data()};
  }

  int64_t types, columns;
  Aligned<int32_t> curve;  // [T, T] neighbour type first
  Aligned<double> sel, empty;
};

}  // namespace deeptf
