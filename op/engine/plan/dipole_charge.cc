// See dipole_charge.h.
#include "engine/plan/dipole_charge.h"

#include <algorithm>

namespace deeptf {

bool DipoleCharge::is_one(const Json& term) {
  const std::vector<Json>& stages = term.at("stages").items();
  return !stages.empty() && stages.back().at("kernel").text() == kKernel;
}

DipoleCharge::DipoleCharge(const Json& term, const ModelFile& file, const Inputs& inputs) {
  Names names;
  const std::vector<Json>& stages = term.at("stages").items();
  for (size_t k = 0; k + 1 < stages.size(); ++k) {
    const StageReader reader(stages[k], file, inputs, &names);
    dipole_.stages.push_back(make_stage(reader));
    dipole_.sets.push_back(reader.set());
  }
  const StageReader reader(stages.back(), file, inputs, &names);
  dipole_.atom_energy = reader.takes();
  const ValueType& type = reader.type_of(dipole_.atom_energy);
  if (type.of_pairs || type.width != 3 || type.precision != Precision::float64) {
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
  dipole_.types = std::move(names.types);
}

void DipoleCharge::shifts(const AtomBlock& block, double* shift) const {
  Values values(dipole_.types, block);
  for (size_t k = 0; k < dipole_.stages.size(); ++k) {
    dipole_.stages[k]->run(values.block(dipole_.sets[k]), values, false);
  }
  std::copy_n(values.take<double>(dipole_.atom_energy), 3 * block.num_atoms, shift);
}

void DipoleCharge::pull(const AtomBlock& block, const double* gradient,
                        double* pair_gradient) const {
  Values values(dipole_.types, block);
  std::vector<Stage::Pull> pulls;
  for (size_t k = 0; k < dipole_.stages.size(); ++k) {
    pulls.push_back(dipole_.stages[k]->run(values.block(dipole_.sets[k]), values, true));
  }
  values.add_gradient<double>(dipole_.atom_energy,
                              [&](double* to) { std::copy_n(gradient, 3 * block.num_atoms, to); });
  for (auto pull = pulls.rbegin(); pull != pulls.rend(); ++pull) (*pull)();
  std::copy_n(values.gradient<double>(kPairs), 3 * block.num_pairs, pair_gradient);
}

}  // namespace deeptf
