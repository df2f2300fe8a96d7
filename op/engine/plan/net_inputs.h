// What the nets of a model take beside descriptors: vectors of types, and what frames and atoms are
// given.
#pragma once

#include <algorithm>
#include <string>

#include "engine/plan/stage_reader.h"
#include "engine/plan/values.h"

namespace deeptf {

// (value - mean) / stddev of numbers that a frame or an atom is given.
struct Standardised {
  Standardised(const StageReader& reader, const char* field, int64_t number) {
    const Json* given = reader.fields.given(field);
    if (given == nullptr) return;
    if (number < 1) {
      throw Error("a stage must not read `" + std::string(field) + "` of a model that takes none");
    }
    width = number;
    mean = reader.constant<double>(*given, "mean", {number});
    stddev = reader.constant<double>(*given, "stddev", {number});
    for (const double value : stddev.numbers) {
      if (value == 0) throw Error("`stddev` of `" + std::string(field) + "` must not be 0");
    }
  }

  int64_t width = 0;
  Aligned<double> mean, stddev;
};

template <class T>
void write_standardised(const Standardised& kind, const double* values, int64_t atom, T* to) {
  for (int64_t k = 0; k < kind.width; ++k) {
    to[k] = static_cast<T>((values[atom * kind.width + k] - kind.mean[k]) / kind.stddev[k]);
  }
}

// Whether a layer has a time step.
inline bool has_step(const Json& layer) { return layer.given("idt") != nullptr; }

template <class T>
struct NetInputs {
  // Throws Error where something is not as it must be.
  explicit NetInputs(const StageReader& reader)
      : takes(reader.takes()),
        num_types(reader.inputs.num_real_types()),
        fparam(reader, "fparam", reader.inputs.num_fparam),
        aparam(reader, "aparam", reader.inputs.num_aparam) {
    const ValueType& taken = reader.type_of(takes);
    if (taken.of_pairs) throw Error("a fitting net must take a descriptor of atoms");
    descriptor = taken.width;
    if (reader.fields.given("types") != nullptr) {
      types = reader.constant<T>("types", {num_types, -1});
      vector = types.shape[1];
    }
    width = descriptor + vector + fparam.width + aparam.width;
  }

  // Whether the nets take more than the descriptor.
  bool with_more() const { return width > descriptor; }

  // The descriptors [n, descriptor], each with the vector of its type and what its frame and its
  // atom are given behind it, [n, width].
  const T* rows(const AtomBlock& block, const T* from, Values& values) const {
    if (!with_more()) return from;
    T* all = values.keep<T>(block.num_atoms * width);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      T* to = std::copy_n(from + atom * descriptor, descriptor, all + atom * width);
      to = std::copy_n(types.data() + block.type[atom] * vector, vector, to);
      write_standardised(fparam, block.fparam, atom, to);
      write_standardised(aparam, block.aparam, atom, to + fparam.width);
    }
    return all;
  }

  int takes;
  int64_t num_types;  // of atoms that have nets
  int64_t descriptor, vector = 0, width;
  Standardised fparam, aparam;
  Aligned<T> types;  // [T, vector] behind the descriptor, with which one net serves all; or nothing
};

}  // namespace deeptf
