// What the stages behind sums over neighbours are made of, and whether it can be used.
#pragma once

#include <string>

#include "engine/plan/stage_reader.h"

namespace deeptf {

// The descriptor of DeepPot-SE.
struct MomentConstants {
  explicit MomentConstants(const StageReader& reader) : takes(reader.takes()) {
    const ValueType& taken = reader.type_of(takes);
    if (taken.of_pairs || taken.width % 4 != 0) {
      throw Error("a product of moments must take sums of four columns");
    }
    width = taken.width / 4;
    axis = reader.integer("axis", 1, width);
    scale = 1.0 / static_cast<double>(reader.integer("places", 1, INT32_MAX));
    gives = reader.gives({width * axis, false, reader.precision()});
  }

  int takes, gives;
  int64_t width, axis;
  double scale;  // of the sums
};

// D = (sums[:, 0] + added_c) scale.
template <class T>
struct ScaledSumConstants {
  explicit ScaledSumConstants(const StageReader& reader) : takes(reader.takes()) {
    const ValueType& taken = reader.type_of(takes);
    if (taken.of_pairs) throw Error("a scaled sum must take sums of atoms");
    width = taken.width;
    const double divisor = reader.number("divisor");
    if (!(divisor > 0)) throw Error("`divisor` of a stage must be positive");
    scale = static_cast<T>(1 / divisor);
    if (reader.fields.given("added") != nullptr) {
      added = reader.constant<T>("added", {reader.inputs.num_types, width});
    }
    gives = reader.gives({width, false, kPrecision<T>});
  }

  int takes, gives;
  int64_t width;
  T scale;
  Aligned<T> added;  // [T, width], or nothing
};

// sums[:, 0] + (places_c - sum_t counted[t, c] n_t) value_c.
template <class T>
struct EmptyPlacesConstants {
  explicit EmptyPlacesConstants(const StageReader& reader) : takes(reader.takes()) {
    const ValueType& taken = reader.type_of(takes);
    if (taken.of_pairs) throw Error("empty places must be added to sums of atoms");
    const int64_t types = reader.inputs.num_types;
    places = reader.constant<T>("places", {types});
    counted = reader.constant<T>("counted", {types, types});
    value = reader.constant<T>("value", {types, -1});
    width = taken.width;
    if (value.shape[1] < 1 || value.shape[1] > width) {
      throw Error("`value` of a stage must have rows of at most " + std::to_string(width) +
                  " numbers, got " + std::to_string(value.shape[1]));
    }
    gives = reader.gives({width, false, kPrecision<T>});
  }

  int64_t number() const { return value.shape[1]; }

  int takes, gives;
  int64_t width;
  Aligned<T> places, counted, value;
};

}  // namespace deeptf
