// Places and axes of local frames, and whether they can be used.
#pragma once

#include <string>
#include <vector>

#include "core/geometry/local_frames.h"
#include "engine/plan/stage_reader.h"

namespace deeptf {

struct LocalFramesConstants {
  // Throws Error where something is not as it must be.
  explicit LocalFramesConstants(const StageReader& reader)
      : num_types(reader.inputs.num_types), takes(reader.takes()) {
    const ValueType& taken = reader.type_of(takes);
    if (!taken.of_pairs || taken.width != 3) throw Error("local frames must take pairs");
    frames.rcut = reader.number("rcut");
    frames.sel_a = read_places(reader, "sel_a");
    frames.sel_r = read_places(reader, "sel_r");
    for (const Json& both : of_types(reader, "rules")) read_rules(both.items());
    for (const Json& texts : of_types(reader, "lacks")) read_lacks(texts.items());
    width = frames.width();
    gives = reader.gives({width, false, Precision::float64});
    mean = reader.constant<double>("mean", {num_types, width});
    stddev = reader.constant<double>("stddev", {num_types, width});
    for (const double value : stddev.numbers) {
      if (!(value > 0)) throw Error("`stddev` of local frames must be positive");
    }
  }

  // What an error says of an atom of a type that lacks something.
  const std::string& text_of(int64_t type, int32_t lack) const {
    return lacks[kPlane * type + lack - 1];
  }

  int64_t num_types, width = 0;
  LocalFrames frames;
  int takes, gives;
  Aligned<double> mean, stddev;    // [T, width]
  std::vector<std::string> lacks;  // [T, 3]

 private:
  static constexpr int64_t kMost = 1 << 20;  // places of a type

  const std::vector<Json>& of_types(const StageReader& reader, const char* field) const {
    const std::vector<Json>& items = reader.fields.at(field).items();
    if (static_cast<int64_t>(items.size()) != num_types) {
      throw Error("`" + std::string(field) + "` of a stage must be of " +
                  std::to_string(num_types) + " types, got " + std::to_string(items.size()));
    }
    return items;
  }

  std::vector<int32_t> read_places(const StageReader& reader, const char* field) const {
    std::vector<int32_t> places;
    for (const Json& item : of_types(reader, field)) {
      const int64_t number = item.integer();
      if (number < 0 || number > kMost) {
        throw Error("`" + std::string(field) + "` of a stage must be from 0 to " +
                    std::to_string(kMost) + ", got " + std::to_string(number));
      }
      places.push_back(static_cast<int32_t>(number));
    }
    return places;
  }

  // Of both axes of a type.
  void read_rules(const std::vector<Json>& both) {
    if (both.size() != 2) throw Error("`rules` of a type must be of 2 axes");
    const int64_t most = frames.num_places();
    for (const Json& axis : both) {
      AxisRule rule{{}, axis.at("rank").integer()};
      if (rule.rank < 0 || rule.rank > kMost) {
        throw Error("`rank` of an axis must be from 0 to " + std::to_string(kMost) + ", got " +
                    std::to_string(rule.rank));
      }
      for (const Json& item : axis.at("places").items()) {
        const int64_t place = item.integer();
        const int64_t least = rule.places.empty() ? 0 : rule.places.back() + 1;
        if (place < least || place >= most) {
          throw Error("`places` of an axis must rise from 0 to below " + std::to_string(most) +
                      ", got " + std::to_string(place));
        }
        rule.places.push_back(static_cast<int32_t>(place));
      }
      frames.rules.push_back(rule);
    }
  }

  void read_lacks(const std::vector<Json>& texts) {
    if (texts.size() != kPlane) throw Error("`lacks` of a type must be 3 messages");
    for (const Json& text : texts) lacks.push_back(text.text());
  }
};

}  // namespace deeptf
