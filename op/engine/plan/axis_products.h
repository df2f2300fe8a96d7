// What products with axes have in common: which values they take.
#pragma once

#include "engine/plan/stage.h"

namespace deeptf {

// Axes [n, 3, M] and numbers of the atoms.
struct AxesAndNumbers {
  explicit AxesAndNumbers(const StageReader& reader) {
    const std::vector<Json>& names = reader.fields.at("takes").items();
    if (names.size() != 2) throw Error("`takes` of a stage must be axes and numbers");
    axes = reader.value_named(names[0].text());
    numbers = reader.value_named(names[1].text());
    const ValueType &first = reader.type_of(axes), &second = reader.type_of(numbers);
    if (first.of_pairs || second.of_pairs || first.width % 3 != 0) {
      throw Error("`takes` of a stage must be axes and numbers of atoms");
    }
    width = first.width / 3;
  }

  // Throws Error unless an atom has so many numbers.
  void check_numbers(const StageReader& reader, int64_t wanted) const {
    const int64_t got = reader.type_of(numbers).width;
    if (got == wanted) return;
    throw Error("numbers of " + std::to_string(width) + " axes must be " + std::to_string(wanted) +
                ", got " + std::to_string(got));
  }

  int axes, numbers;
  int64_t width;  // M
};

}  // namespace deeptf
