// Which values of atoms a concatenation takes.
#pragma once

#include <vector>

#include "engine/plan/stage_reader.h"

namespace deeptf {

struct ConcatenationConstants {
  // Throws Error where a value is not one of atoms.
  explicit ConcatenationConstants(const StageReader& reader) {
    for (const Json& name : reader.fields.at("takes").items()) {
      takes.push_back(reader.value_named(name.text()));
      const ValueType& type = reader.type_of(takes.back());
      if (type.of_pairs) throw Error("a concatenation must take values of atoms");
      if (type.precision == Precision::float64) precision = Precision::float64;
      widths.push_back(type.width);
      width += type.width;
    }
    gives = reader.gives({width, false, precision});
  }

  std::vector<int> takes;
  int gives;
  std::vector<int64_t> widths;
  int64_t width = 0;
  Precision precision = Precision::float32;  // the highest of the values
};

}  // namespace deeptf
