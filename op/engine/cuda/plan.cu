// Terms of a model: read, and run forwards and backwards.
#include "engine/cuda/plan.h"

namespace deeptf::device {
namespace {

// Adds to what earlier terms have given.
void add(const Cuda& cuda, bool is_first, const double* from, int64_t count, double* to) {
  if (is_first) {
    for_each(cuda, count, Copy<double, double, false>{from, to});
  } else {
    for_each(cuda, count, Copy<double, double, true>{from, to});
  }
}

}  // namespace

Plan::Plan(const ModelFile& file, const Inputs& inputs)
    : terms_(read_terms<Stage>(file, inputs, make_stage)) {}

void Plan::evaluate(const Block& block, double* atom_energy, double* pair_gradient) const {
  const Cuda& cuda = block.cuda;
  std::vector<Stage::Pull> pulls;
  for (const Term<Stage>& term : terms_) {
    const bool is_first = &term == &terms_.front();
    Values values(term.types, block);
    pulls.clear();
    for (size_t k = 0; k < term.stages.size(); ++k) {
      const Block& own = values.block(term.sets[k]);
      pulls.push_back(term.stages[k]->run(own, values, pair_gradient != nullptr));
    }
    add(cuda, is_first, values.take<double>(term.property), block.num_atoms, atom_energy);
    if (pair_gradient == nullptr) continue;
    values.begin_backward(term.property, nullptr);
    for (auto pull = pulls.rbegin(); pull != pulls.rend(); ++pull) (*pull)();
    add(cuda, is_first, values.gradient<double>(kPairs), 3 * block.num_pairs, pair_gradient);
  }
}

}  // namespace deeptf::device
