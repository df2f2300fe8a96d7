// What a stage of a plan is read from, for any device: its JSON and the constants of the file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "engine/file/model_file.h"
#include "engine/plan/value_store.h"

namespace deeptf {

// What a model says of its atoms and frames, and of what it gives.
struct Inputs {
  int64_t num_types, num_fparam, num_aparam;
  std::string property = "energy";
  int64_t width = 1;              // numbers of the property that an atom has
  int64_t num_virtual_types = 0;  // the last ones, of atoms that are neighbours alone

  int64_t num_real_types() const { return num_types - num_virtual_types; }
};

// The values that the stages so far give, by name.
struct Names {
  std::map<std::string, int> number{{"pairs", kPairs}};
  std::vector<ValueType> types{{3, true, Precision::float64}};
  int sets = 1;  // of pairs
};

// The JSON of a stage and what its numbers mean. All functions throw Error where something is not
// as it must be.
class StageReader {
 public:
  StageReader(const Json& fields, const ModelFile& file, const Inputs& inputs, Names* names)
      : fields(fields), file(file), inputs(inputs), names_(names) {}

  const Json& fields;
  const ModelFile& file;
  const Inputs& inputs;

  int takes() const;  // the number of a value; pairs where the stage does not say
  int value_named(const std::string& name) const;
  int set() const;      // of the pairs whose value the stage takes
  int new_set() const;  // of pairs, after the last one
  const ValueType& type_of(int value) const { return names_->types[value]; }
  int gives(const ValueType& type) const;  // the number of a new value

  Precision precision() const;  // float64 where the stage does not say
  // A whole number from least to most.
  int64_t integer(const char* field, int64_t least, int64_t most) const;
  double number(const char* field) const;  // finite
  // `curve` [T, T], neighbour type first: from -1 to below the number of curves.
  Aligned<int32_t> curve(int64_t num_curves) const;

  // The constant that a field names.
  template <class T>
  Aligned<T> constant(const char* field, const std::vector<int64_t>& shape) const {
    return constant<T>(fields, field, shape);
  }
  template <class T>
  Aligned<T> constant(const Json& of, const char* field, const std::vector<int64_t>& shape) const {
    return constant_named<T>(of.at(field).text(), shape);
  }
  // Finite numbers, or integers.
  template <class T>
  Aligned<T> constant_named(const std::string& name, const std::vector<int64_t>& shape) const;

 private:
  Names* names_;
};

// Kind<float> or Kind<double>, made from a StageReader or what was read with it, as a stage S of
// some device.
template <class S, template <class> class Kind, class From>
std::unique_ptr<S> make_in(Precision precision, const From& from) {
  if (precision == Precision::float32) return std::make_unique<Kind<float>>(from);
  return std::make_unique<Kind<double>>(from);
}

}  // namespace deeptf
