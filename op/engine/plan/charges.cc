// See charges.h.
#include "engine/plan/charges.h"

#include <utility>

namespace deeptf {

ChargeTerm::ChargeTerm(const Json& term, const ModelFile& file, const Inputs& given)
    : inputs(given) {
  inputs.property = "dipole";
  inputs.width = 3;
  Names names;
  Term<Stage> dipoles;
  const std::vector<Json>& stages = term.at("stages").items();
  for (size_t k = 0; k + 1 < stages.size(); ++k) {
    const StageReader reader(stages[k], file, inputs, &names);
    dipoles.stages.push_back(make_stage(reader));
    dipoles.sets.push_back(reader.set());
  }
  const StageReader reader(stages.back(), file, inputs, &names);
  dipoles.property = reader.takes();
  const ValueType type = reader.type_of(dipoles.property);
  if (type.of_pairs || type.width != inputs.width || type.precision != Precision::float64) {
    throw Error("charges must take a float64 vector of each atom, got another value");
  }
  beta = reader.number("beta");
  spacing = reader.number("spacing");
  for (const Json& number : reader.fields.at("charge").items()) charge.push_back(number.number());
  for (const Json& number : reader.fields.at("centre").items()) {
    has_centre.push_back(!number.is_null());
    centre.push_back(number.is_null() ? 0 : number.number());
  }
  const auto types = static_cast<size_t>(inputs.num_types);
  if (charge.size() != types || centre.size() != types) {
    throw Error("charges must be given for each of the " + std::to_string(types) + " types");
  }
  dipoles.types = std::move(names.types);
  shifts = std::make_unique<Plan>(std::move(dipoles), inputs.width);
}

std::unique_ptr<ChargeTerm> read_charges(const ModelFile& file, const Inputs& inputs) {
  std::unique_ptr<ChargeTerm> found;
  for (const Json& term : file.metadata().at("plan").items()) {
    if (!is_of_charges(term)) continue;
    if (found) throw Error("the plan of a model must have one term of charges, got two");
    found = std::make_unique<ChargeTerm>(term, file, inputs);
  }
  return found;
}

}  // namespace deeptf
