// Terms of a model: read, and run forwards and backwards.
#include "engine/plan/plan.h"

#include <algorithm>

namespace deeptf {
namespace {

// Memory of a block where a model takes much for each atom: more of them would be no faster.
constexpr double kBlockBytes = 1 << 24;

}  // namespace

bool Plan::is_known(const Json& metadata) {
  const auto known = [](const std::string& name) {
    return has_kernel(name) || name == DipoleCharge::kKernel;
  };
  return has_plan(metadata) && unknown_kernel(metadata, known).empty();
}

Plan::Plan(const ModelFile& file, const Inputs& inputs) {
  for (const Json& term : file.metadata().at("plan").items()) {
    if (!DipoleCharge::is_one(term)) {
      terms_.push_back(read_term<Stage>(term, file, inputs, make_stage));
    } else if (charges_ == nullptr) {
      charges_ = std::make_unique<DipoleCharge>(term, file, inputs);
    } else {
      throw Error("the plan of a model must have one term of charges, got two");
    }
  }
  if (terms_.empty()) throw Error("the plan of a model must have a term, got none");
}

int64_t Plan::block_atoms(int64_t most) const {
  double bytes = 1;
  for (const Term<Stage>& term : terms_) {
    for (const auto& stage : term.stages) bytes += stage->atom_bytes();
  }
  return std::max<int64_t>(1, std::min(most, static_cast<int64_t>(kBlockBytes / bytes)));
}

void Plan::evaluate(const AtomBlock& block, double* atom_energy, double* pair_gradient) const {
  std::fill_n(atom_energy, block.num_atoms, 0.0);
  if (pair_gradient != nullptr) std::fill_n(pair_gradient, 3 * block.num_pairs, 0.0);
  std::vector<Stage::Pull> pulls;
  for (const Term<Stage>& term : terms_) {
    Values values(term.types, block);
    pulls.clear();
    for (size_t k = 0; k < term.stages.size(); ++k) {
      const AtomBlock& own = values.block(term.sets[k]);
      pulls.push_back(term.stages[k]->run(own, values, pair_gradient != nullptr));
    }
    const double* energy = values.take<double>(term.atom_energy);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) atom_energy[atom] += energy[atom];
    if (pair_gradient == nullptr) continue;
    values.begin_backward(term.atom_energy);
    for (auto pull = pulls.rbegin(); pull != pulls.rend(); ++pull) (*pull)();
    const double* gradient = values.gradient<double>(kPairs);
    for (int64_t k = 0; k < 3 * block.num_pairs; ++k) pair_gradient[k] += gradient[k];
  }
}

}  // namespace deeptf
