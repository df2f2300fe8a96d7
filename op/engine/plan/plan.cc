// Terms of a model: read, and run forwards and backwards.
#include "engine/plan/plan.h"

#include <algorithm>

namespace deeptf {
namespace {

// Memory of a block where a model takes much for each atom: more of them would be no faster.
constexpr double kBlockBytes = 1 << 24;

}  // namespace

bool Plan::is_known(const Json& metadata) {
  return has_plan(metadata) && unknown_kernel(metadata).empty();
}

Plan::Plan(const ModelFile& file, const Inputs& inputs)
    : width_(inputs.width), terms_(read_terms<Stage>(file, inputs, make_stage)) {}

Plan::Plan(Term<Stage> term, int64_t width) : width_(width) { terms_.push_back(std::move(term)); }

int64_t Plan::block_atoms(int64_t most) const {
  double bytes = 1;
  for (const Term<Stage>& term : terms_) {
    for (const auto& stage : term.stages) bytes += stage->atom_bytes();
  }
  return std::max<int64_t>(1, std::min(most, static_cast<int64_t>(kBlockBytes / bytes)));
}

void Plan::evaluate(const AtomBlock& block, const double* weight, double* value,
                    double* pair_gradient) const {
  const int64_t count = width_ * block.num_atoms;
  std::fill_n(value, count, 0.0);
  if (pair_gradient != nullptr) std::fill_n(pair_gradient, 3 * block.num_pairs, 0.0);
  std::vector<Stage::Pull> pulls;
  for (const Term<Stage>& term : terms_) {
    Values values(term.types, block);
    pulls.clear();
    for (size_t k = 0; k < term.stages.size(); ++k) {
      const AtomBlock& own = values.block(term.sets[k]);
      pulls.push_back(term.stages[k]->run(own, values, pair_gradient != nullptr));
    }
    const double* own = values.take<double>(term.property);
    for (int64_t k = 0; k < count; ++k) value[k] += own[k];
    if (pair_gradient == nullptr) continue;
    values.begin_backward(term.property, weight);
    for (auto pull = pulls.rbegin(); pull != pulls.rend(); ++pull) (*pull)();
    const double* gradient = values.gradient<double>(kPairs);
    for (int64_t k = 0; k < 3 * block.num_pairs; ++k) pair_gradient[k] += gradient[k];
  }
}

}  // namespace deeptf
