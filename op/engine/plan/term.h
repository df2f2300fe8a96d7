// The terms of a plan, for the stages of any device: read, and how they hang together.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/stage_list.h"

namespace deeptf {

// A row of stages that ends in the property of the atoms that a model gives.
template <class S>
struct Term {
  std::vector<ValueType> types;
  std::vector<std::unique_ptr<S>> stages;
  std::vector<int> sets;  // of the pairs that each has
  int property;
};

inline bool has_plan(const Json& metadata) { return metadata.given("plan") != nullptr; }

// The kernel of the last stage of a term of charges (charges.h).
constexpr char kCharges[] = "dipole_charge";

inline bool is_of_charges(const Json& term) {
  const std::vector<Json>& stages = term.at("stages").items();
  return !stages.empty() && stages.back().at("kernel").text() == kCharges;
}

// The first kernel of a plan that is not known, or nothing.
inline std::string unknown_kernel(const Json& metadata) {
  for (const Json& term : metadata.at("plan").items()) {
    for (const Json& stage : term.at("stages").items()) {
      const std::string& name = stage.at("kernel").text();
      if (!has_kernel(name) && name != kCharges) return name;
    }
  }
  return "";
}

template <class S>
Term<S> read_term(const Json& term, const ModelFile& file, const Inputs& inputs,
                  std::unique_ptr<S> (*make)(const StageReader&)) {
  Names names;
  Term<S> out;
  for (const Json& stage : term.at("stages").items()) {
    const StageReader reader(stage, file, inputs, &names);
    out.stages.push_back(make(reader));
    out.sets.push_back(reader.set());
  }
  const std::string property = "atom_" + inputs.property;
  const std::string& name = term.at("values").at(property).text();
  const auto found = names.number.find(name);
  if (found == names.number.end()) {
    throw Error("the plan of a model must give `" + property + "`, got no value " + name);
  }
  out.property = found->second;
  const ValueType& type = names.types[out.property];
  if (type.of_pairs || type.width != inputs.width || type.precision != Precision::float64) {
    throw Error("`" + property + "` must be of " + std::to_string(inputs.width) +
                " float64 numbers of each atom, got the value " + name);
  }
  out.types = std::move(names.types);
  return out;
}

// Throws Error where the plan is damaged or does not fit the constants.
template <class S>
std::vector<Term<S>> read_terms(const ModelFile& file, const Inputs& inputs,
                                std::unique_ptr<S> (*make)(const StageReader&)) {
  std::vector<Term<S>> terms;
  for (const Json& term : file.metadata().at("plan").items()) {
    if (!is_of_charges(term)) terms.push_back(read_term(term, file, inputs, make));
  }
  if (terms.empty()) throw Error("the plan of a model must have a term, got none");
  return terms;
}

}  // namespace deeptf
