// Products with axes: which values they take, and the formulas for any device.
#pragma once

#include <string>
#include <vector>

#include "core/base/host_device.h"
#include "engine/plan/stage_reader.h"

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

// v_a = sum_m Q_am w_m of an atom.
struct AxisVectorConstants {
  // Throws Error where something is not as it must be.
  explicit AxisVectorConstants(const StageReader& reader)
      : takes(reader), gives(reader.gives({3, false, Precision::float64})) {
    takes.check_numbers(reader, takes.width);
  }

  AxesAndNumbers takes;
  int gives;
};

// P = scale Q W Q^T + added 1 of an atom with Q [3, M] and W = diag(w), or W = B + B^T of a matrix
// B [M, M] of numbers.
struct AxisTensorConstants {
  // Throws Error where something is not as it must be.
  explicit AxisTensorConstants(const StageReader& reader)
      : takes(reader),
        is_diagonal(reader.fields.at("diagonal").boolean()),
        scale(of_types(reader, "scale")),
        added(of_types(reader, "added")),
        gives(reader.gives({9, false, Precision::float64})) {
    takes.check_numbers(reader, numbers_of_atom());
  }

  int64_t numbers_of_atom() const { return is_diagonal ? takes.width : takes.width * takes.width; }

  AxesAndNumbers takes;
  bool is_diagonal;
  std::vector<double> scale, added;  // [T]
  int gives;

 private:
  static std::vector<double> of_types(const StageReader& reader, const char* field) {
    std::vector<double> numbers;
    for (const Json& one : reader.fields.at(field).items()) numbers.push_back(one.number());
    if (static_cast<int64_t>(numbers.size()) != reader.inputs.num_types) {
      throw Error("`" + std::string(field) + "` of a stage must be one for each type");
    }
    return numbers;
  }
};

// V = scale (U + U^T) of the gradient U [3, 3] in a tensor, number k.
DEEPTF_HD inline double tensor_pull(const double* upper, double scale, int64_t k) {
  return scale * (upper[k] + upper[k % 3 * 3 + k / 3]);
}

}  // namespace deeptf
