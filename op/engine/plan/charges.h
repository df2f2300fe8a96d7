// The term of charges in a plan: stages that end in a vector of each atom, to the charge of its
// centre. The sum over charges is of all blocks together (run/long_range.h).
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/plan/plan.h"

namespace deeptf {

// What an error says where pairs are given.
constexpr char kChargesTakeNoPairs[] =
    "the model must be given coordinates and a cell, got pairs: its charges act on all others; use "
    "deeptf_evaluate or deeptf_evaluate_list";

struct ChargeConstants {
  // From the last stage of the term. Throws Error where it is damaged.
  explicit ChargeConstants(const StageReader& reader);

  double beta, spacing;                // 1/A, A
  std::vector<double> charge, centre;  // of atoms and of centres, by type
  std::vector<bool> has_centre;
};

// Calls body(stages that give the vectors, constants, inputs of these) for any device, where a file
// has such a term. Throws Error where it is damaged or does not fit the constants of the file.
template <class S, class Body>
void read_charges(const ModelFile& file, const Inputs& given,
                  std::unique_ptr<S> (*make)(const StageReader&), const Body& body) {
  bool found = false;
  for (const Json& term : file.metadata().at("plan").items()) {
    if (!is_of_charges(term)) continue;
    if (found) throw Error("the plan of a model must have one term of charges, got two");
    found = true;
    Inputs inputs = given;
    inputs.property = "dipole";
    inputs.width = 3;
    Names names;
    Term<S> shifts;
    const std::vector<Json>& stages = term.at("stages").items();
    for (size_t k = 0; k + 1 < stages.size(); ++k) {
      const StageReader reader(stages[k], file, inputs, &names);
      shifts.stages.push_back(make(reader));
      shifts.sets.push_back(reader.set());
    }
    const StageReader reader(stages.back(), file, inputs, &names);
    shifts.property = reader.takes();
    const ValueType type = reader.type_of(shifts.property);
    if (type.of_pairs || type.width != inputs.width || type.precision != Precision::float64) {
      throw Error("charges must take a float64 vector of each atom, got another value");
    }
    ChargeConstants constants(reader);
    shifts.types = std::move(names.types);
    body(std::move(shifts), std::move(constants), inputs);
  }
}

// On the CPU.
struct ChargeTerm : ChargeConstants {
  Inputs inputs;                 // of the vectors
  std::unique_ptr<Plan> shifts;  // gives them
};

// That of a file, or NULL.
std::unique_ptr<ChargeTerm> read_charges(const ModelFile& file, const Inputs& inputs);

}  // namespace deeptf
