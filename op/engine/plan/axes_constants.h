// Of which sums axes are made.
#pragma once

#include <vector>

#include "engine/plan/stage_reader.h"

namespace deeptf {

struct AxesConstants {
  // Throws Error where something is not as it must be.
  explicit AxesConstants(const StageReader& reader) {
    const std::vector<Json>& names = reader.fields.at("takes").items();
    const std::vector<Json>& places = reader.fields.at("places").items();
    if (names.empty() || names.size() != places.size()) {
      throw Error("axes must take sums, and `places` be one for each of them");
    }
    for (size_t k = 0; k < names.size(); ++k) {
      const int value = reader.value_named(names[k].text());
      const ValueType& type = reader.type_of(value);
      const double number = places[k].number();
      if (type.of_pairs || type.width % 4 != 0 || !(number >= 1)) {
        throw Error("axes must take sums of four columns, and `places` be at least 1");
      }
      parts.push_back({value, type.width / 4, width, 1 / number});
      width += type.width / 4;
    }
    gives = reader.gives({3 * width, false, Precision::float64});
  }

  // Sums, how many axes they have and which is the first one, and 1 / places.
  struct Part {
    int takes;
    int64_t width, column;
    double scale;
  };

  std::vector<Part> parts;
  int64_t width = 0;  // axes of an atom
  int gives;
};

}  // namespace deeptf
