// A cut-off for pairs that are a set of their own.
#pragma once

#include "engine/plan/stage_reader.h"

namespace deeptf {

struct WithinConstants {
  // Throws Error where something is not as it must be.
  explicit WithinConstants(const StageReader& reader)
      : rcut(reader.number("rcut")), takes(reader.takes()) {
    if (!(rcut > 0)) throw Error("`rcut` of a stage must be positive");
    const ValueType& taken = reader.type_of(takes);
    if (!taken.of_pairs || taken.width != 3) {
      throw Error("pairs within `rcut` must be some of pairs");
    }
    gives = reader.gives({3, true, Precision::float64, reader.new_set()});
  }

  double rcut;
  int takes, gives;
};

}  // namespace deeptf
