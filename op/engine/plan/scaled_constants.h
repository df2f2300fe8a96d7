// A float64 value of atoms times a number.
#pragma once

#include "engine/plan/stage_reader.h"

namespace deeptf {

struct ScaledConstants {
  // Throws Error where the value is not one of atoms.
  explicit ScaledConstants(const StageReader& reader)
      : factor(reader.number("factor")), takes(reader.takes()) {
    const ValueType& type = reader.type_of(takes);
    if (type.of_pairs || type.precision != Precision::float64) {
      throw Error("a scaled value must be a float64 one of atoms");
    }
    width = type.width;
    gives = reader.gives(type);
  }

  double factor;
  int64_t width;
  int takes, gives;
};

}  // namespace deeptf
