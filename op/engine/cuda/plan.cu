// Terms of a model: read, and run forwards and backwards.
#include "engine/cuda/charges.h"
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

TermRun::TermRun(const Term<Stage>& term, const Block& block, bool gradient)
    : term_(term), values_(term.types, block) {
  for (size_t k = 0; k < term.stages.size(); ++k) {
    pulls_.push_back(term.stages[k]->run(values_.block(term.sets[k]), values_, gradient));
  }
}

const double* TermRun::pull(const double* weight) {
  values_.begin_backward(term_.property, weight);
  for (auto pull = pulls_.rbegin(); pull != pulls_.rend(); ++pull) (*pull)();
  return values_.gradient<double>(kPairs);
}

Plan::Plan(const ModelFile& file, const Inputs& inputs)
    : width_(inputs.width), terms_(read_terms<Stage>(file, inputs, make_stage)) {
  for (const Term<Stage>& term : terms_) number(term);
  const auto keep = [this](Term<Stage> shifts, ChargeConstants constants, const Inputs&) {
    charges_ = std::make_unique<ChargeTerm>(std::move(shifts), std::move(constants));
    number(charges_->shifts);
  };
  read_charges<Stage>(file, inputs, make_stage, keep);
}

Plan::~Plan() = default;

void Plan::number(const Term<Stage>& term) {
  for (const auto& stage : term.stages) {
    stage->number = static_cast<int64_t>(stages_.size());
    stages_.push_back(stage.get());
  }
}

void Plan::evaluate(const Block& block, const double* weight, double* value,
                    double* pair_gradient) const {
  for (const Term<Stage>& term : terms_) {
    const bool is_first = &term == &terms_.front();
    TermRun run(term, block, pair_gradient != nullptr);
    add(block.cuda, is_first, run.property(), width_ * block.num_atoms, value);
    if (pair_gradient == nullptr) continue;
    add(block.cuda, is_first, run.pull(weight), 3 * block.num_pairs, pair_gradient);
  }
}

}  // namespace deeptf::device
