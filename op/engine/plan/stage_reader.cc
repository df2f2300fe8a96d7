// See stage_reader.h.
#include "engine/plan/stage_reader.h"

#include <algorithm>
#include <cmath>

namespace deeptf {
namespace {

constexpr int64_t kMostWidth = 1 << 24;  // the product of two of them is an int64_t

}  // namespace

int StageReader::takes() const {
  const Json* name = fields.find("takes");
  return name == nullptr ? kPairs : value_named(name->text());
}

int StageReader::value_named(const std::string& name) const {
  const auto found = names_->number.find(name);
  if (found == names_->number.end()) {
    throw Error("a stage must take what an earlier one gives, got " + name);
  }
  return found->second;
}

int StageReader::set() const {
  const Json* names = fields.find("takes");
  if (names == nullptr || names->kind() != Json::Kind::array) return type_of(takes()).set;
  int set = 0;
  for (const Json& name : names->items())
    set = std::max(set, type_of(value_named(name.text())).set);
  return set;
}

int StageReader::new_set() const { return names_->sets++; }

int StageReader::gives(const ValueType& type) const {
  const std::string& name = fields.at("gives").text();
  if (type.width < 1 || type.width > kMostWidth) {
    throw Error("a value of a plan must have from 1 to " + std::to_string(kMostWidth) +
                " numbers of each atom or pair, got " + std::to_string(type.width) + " of " + name);
  }
  const int number = static_cast<int>(names_->types.size());
  if (!names_->number.emplace(name, number).second) {
    throw Error("the values of a plan must have different names, got " + name + " twice");
  }
  names_->types.push_back(type);
  return number;
}

Precision StageReader::precision() const {
  const Json* name = fields.find("precision");
  if (name == nullptr || name->text() == "float64") return Precision::float64;
  if (name->text() == "float32") return Precision::float32;
  throw Error("`precision` of a stage must be float32 or float64, got " + name->text());
}

int64_t StageReader::integer(const char* field, int64_t least, int64_t most) const {
  const int64_t value = fields.at(field).integer();
  if (value < least || value > most) {
    throw Error("`" + std::string(field) + "` of a stage must be from " + std::to_string(least) +
                " to " + std::to_string(most) + ", got " + std::to_string(value));
  }
  return value;
}

double StageReader::number(const char* field) const {
  const double value = fields.at(field).number();
  if (!std::isfinite(value)) {
    throw Error("`" + std::string(field) + "` of a stage must be finite");
  }
  return value;
}

Aligned<int32_t> StageReader::curve(int64_t num_curves) const {
  Aligned<int32_t> curve = constant<int32_t>("curve", {inputs.num_types, inputs.num_types});
  for (const int32_t one : curve.numbers) {
    if (one < -1 || one >= num_curves) {
      throw Error("`curve` of a stage must be from -1 to below " + std::to_string(num_curves) +
                  ", got " + std::to_string(one));
    }
  }
  return curve;
}

template <class T>
Aligned<T> StageReader::constant_named(const std::string& name,
                                       const std::vector<int64_t>& shape) const {
  const Array<T> found = file.constant<T>(name, shape);
  for (const T& value : found.data) {
    if (!std::isfinite(static_cast<double>(value))) {
      throw Error("the constant " + name + " must be finite, got another number");
    }
  }
  return {found.shape, {found.data.begin(), found.data.end()}};
}

template Aligned<float> StageReader::constant_named(const std::string&,
                                                    const std::vector<int64_t>&) const;
template Aligned<double> StageReader::constant_named(const std::string&,
                                                     const std::vector<int64_t>&) const;
template Aligned<int32_t> StageReader::constant_named(const std::string&,
                                                      const std::vector<int64_t>&) const;

}  // namespace deeptf
