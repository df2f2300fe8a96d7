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
        curve(reader.constant<int32_t>("curve", {types, types})),
        sel(reader.constant<double>("sel", {types})),
        empty(reader.constant<double>("empty", {types, types})) {
    for (const int32_t one : curve.numbers) {
      if (one < -1 || one >= num_curves) {
        throw Error("`curve` of a stage must be from -1 to below " + std::to_string(num_curves) +
                    ", got " + std::to_string(one));
      }
    }
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
