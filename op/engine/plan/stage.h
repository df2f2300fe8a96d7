// A stage of a plan, made from its JSON and the constants of the file; stages.py and
// neighbor_stages.py in deeptf/model say what each computes.
//
// A new kind of model brings a file with its stage and a line in registry.cc; nothing else here
// knows kinds of models.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "engine/file/model_file.h"
#include "engine/plan/values.h"

namespace deeptf {

// What a stage throws at a pair of the caller's that it cannot take: `reason` goes on behind the
// names of both atoms.
struct WrongPair {
  int64_t pair;
  std::string reason;
};

class Stage {
 public:
  // From the gradient in what a stage has given to that in what it took.
  using Pull = std::function<void()>;

  virtual ~Stage() = default;
  // Gives its value. Without `gradient` no Pull is asked for. Both arguments outlive the Pull.
  virtual Pull run(const AtomBlock& block, Values& values, bool gradient) const = 0;
  // Bytes that an atom takes, of a stage that takes so many that blocks must have few atoms.
  virtual double atom_bytes() const { return 0; }
};

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

// Makes a stage; Error for a kernel that the engine does not have.
std::unique_ptr<Stage> make_stage(const StageReader& reader);
// Whether the engine has a kernel of that name.
bool has_kernel(const std::string& name);

// Calls body(T()) with float or double.
template <class Body>
auto with_precision(Precision precision, const Body& body) {
  return precision == Precision::float32 ? body(float()) : body(double());
}

}  // namespace deeptf
