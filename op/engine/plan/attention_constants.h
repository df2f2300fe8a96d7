// What stages with attention read, for any device.
#pragma once

#include <algorithm>
#include <vector>

#include "core/nets/attention.h"
#include "engine/plan/gate_constants.h"

namespace deeptf {

template <class T>
struct AttentionLayerConstants {
  // Values have `width` numbers. Throws Error where the constants do not fit.
  AttentionLayerConstants(const StageReader& reader, const Json& layer, int64_t width)
      : epsilon(static_cast<T>(reader.number("epsilon"))) {
    read_attended(reader, layer, width);
    output = reader.constant<T>(layer.at("output"), "matrix", {attn, width});
    output_bias = reader.constant<T>(layer.at("output"), "bias", {width});
    scale = reader.constant<T>(layer, "scale", {width});
    shift = reader.constant<T>(layer, "shift", {width});
  }

  T epsilon;
  int64_t attn = -1;
  Aligned<T> attended, attended_bias;  // [M, 3, attn] query, key and value side by side, [3, attn]
  Aligned<T> output, output_bias, scale, shift;

 private:
  void read_attended(const StageReader& reader, const Json& layer, int64_t width) {
    Aligned<T> matrices[kParts];
    for (int64_t part = 0; part < kParts; ++part) {
      const Json& own = layer.at(part == kQuery ? "query" : part == kKey ? "key" : "value");
      matrices[part] = reader.constant<T>(own, "matrix", {width, attn});
      attn = matrices[part].shape[1];
      const Aligned<T> bias = reader.constant<T>(own, "bias", {attn});
      attended_bias.numbers.insert(attended_bias.numbers.end(), bias.numbers.begin(),
                                   bias.numbers.end());
    }
    if (attn < 1) throw Error("a layer of attention must have numbers, got none");
    attended.shape = {width, kParts * attn};
    attended.numbers.resize(width * kParts * attn);
    for (int64_t part = 0; part < kParts; ++part) {
      for (int64_t row = 0; row < width; ++row) {
        std::copy_n(matrices[part].data() + row * attn, attn,
                    attended.data() + (row * kParts + part) * attn);
      }
    }
  }
};

// Values and rows of pairs come in, sums of 4 columns go out.
struct AttentionSettings {
  static constexpr int64_t kColumns = 4;

  // Throws Error where something is not as it must be.
  explicit AttentionSettings(const StageReader& reader)
      : places(reader.integer("places", 1, int64_t{1} << 31)),
        dotr(reader.fields.at("dotr").boolean()),
        diagonal(reader.fields.at("diagonal").boolean()) {
    const std::vector<Json>& names = reader.fields.at("takes").items();
    if (names.size() != 2) {
      throw Error("attention must take values and rows of pairs, got " +
                  std::to_string(names.size()) + " values");
    }
    value = reader.value_named(names[0].text());
    rows = reader.value_named(names[1].text());
    const ValueType &of_value = reader.type_of(value), &of_rows = reader.type_of(rows);
    if (!of_value.of_pairs || !of_rows.of_pairs || of_value.set != of_rows.set ||
        of_rows.width != kColumns) {
      throw Error("attention must take values and rows of 4 columns of the same pairs");
    }
    width = of_value.width;
    if (!(reader.number("epsilon") > 0)) throw Error("`epsilon` of a stage must be positive");
    gives = reader.gives({kColumns * width, false, reader.precision()});
  }

  AttentionShape shape(const Runs& runs, bool smooth) const {
    return {runs, places, smooth, dotr, diagonal};
  }

  int value, rows, gives;
  int64_t width, places;
  int64_t widest = 1;  // of the layers
  bool dotr, diagonal;
};

template <class T>
struct AttentionConstants : AttentionSettings {
  explicit AttentionConstants(const StageReader& reader)
      : AttentionSettings(reader), curve(reader.curve(int64_t{1} << 31)), shares(reader, kColumns) {
    for (const Json& layer : reader.fields.at("layers").items()) {
      layers.emplace_back(reader, layer, width);
      widest = std::max(widest, layers.back().attn);
    }
  }

  Aligned<int32_t> curve;  // [T, T] neighbour type first
  ShareConstants shares;
  std::vector<AttentionLayerConstants<T>> layers;
};

}  // namespace deeptf
