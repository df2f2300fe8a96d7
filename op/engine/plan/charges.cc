// See charges.h.
#include "engine/plan/charges.h"

namespace deeptf {

ChargeConstants::ChargeConstants(const StageReader& reader)
    : beta(reader.number("beta")), spacing(reader.number("spacing")) {
  for (const Json& number : reader.fields.at("charge").items()) charge.push_back(number.number());
  for (const Json& number : reader.fields.at("centre").items()) {
    has_centre.push_back(!number.is_null());
    centre.push_back(number.is_null() ? 0 : number.number());
  }
  const auto types = static_cast<size_t>(reader.inputs.num_types);
  if (charge.size() != types || centre.size() != types) {
    throw Error("charges must be given for each of the " + std::to_string(types) + " types");
  }
}

std::unique_ptr<ChargeTerm> read_charges(const ModelFile& file, const Inputs& inputs) {
  std::unique_ptr<ChargeTerm> found;
  read_charges<Stage>(
      file, inputs, make_stage,
      [&](Term<Stage> shifts, ChargeConstants constants, const Inputs& own) {
        found = std::make_unique<ChargeTerm>(ChargeTerm{
            std::move(constants), own, std::make_unique<Plan>(std::move(shifts), own.width)});
      });
  return found;
}

}  // namespace deeptf
