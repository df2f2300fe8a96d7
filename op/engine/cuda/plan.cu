// Terms of a model: read, and run forwards and backwards.
#include "engine/cuda/plan.h"

namespace deeptf::device {

Plan::Plan(const ModelFile& file, const Inputs& inputs)
    : terms_(read_terms<Stage>(file, inputs, make_stage)) {}

void Plan::evaluate(const Block& block, double* atom_energy, double* pair_gradient) const {
  const Cuda& cuda = block.cuda;
  const int64_t numbers = 3 * block.num_pairs;
  set_zero(cuda, atom_energy, block.num_atoms);
  if (pair_gradient != nullptr) set_zero(cuda, pair_gradient, numbers);
  std::vector<Stage::Pull> pulls;
  for (const Term<Stage>& term : terms_) {
    Values values(term.types, block);
    pulls.clear();
    for (size_t k = 0; k < term.stages.size(); ++k) {
      const Block& own = values.block(term.sets[k]);
      pulls.push_back(term.stages[k]->run(own, values, pair_gradient != nullptr));
    }
    for_each(cuda, block.num_atoms,
             Copy<double, double, true>{values.take<double>(term.atom_energy), atom_energy});
    if (pair_gradient == nullptr) continue;
    values.begin_backward(term.atom_energy);
    for (auto pull = pulls.rbegin(); pull != pulls.rend(); ++pull) (*pull)();
    for_each(cuda, numbers,
             Copy<double, double, true>{values.gradient<double>(kPairs), pair_gradient});
  }
}

}  // namespace deeptf::device
