// The plan of a model on a device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/cuda/stage.h"
#include "engine/plan/term.h"

namespace deeptf::device {

// The stages of a term on their way with a block, which outlive it.
class TermRun {
 public:
  // Queues what gives the property of the atoms. Without `gradient` pull() is not called.
  TermRun(const Term<Stage>& term, const Block& block, bool gradient);

  const double* property() { return values_.take<double>(term_.property); }  // [n, width]
  // Queues what gives the gradient [p, 3] of sum_i weight_i . property_i to the displacements.
  // Without weight [n, width] all are 1.
  const double* pull(const double* weight);

 private:
  const Term<Stage>& term_;
  Values values_;
  std::vector<Stage::Pull> pulls_;
};

struct ChargeTerm;  // charges.h

class Plan {
 public:
  // Throws Error where the plan is damaged.
  Plan(const ModelFile& file, const Inputs& inputs);
  ~Plan();

  // Queues what gives value [n, width] of the atoms of a block and, unless it is null,
  // pair_gradient [p, 3], that of sum_i weight_i . value_i to the displacements. Without weight
  // [n, width] all are 1.
  void evaluate(const Block& block, const double* weight, double* value,
                double* pair_gradient) const;

  const ChargeTerm* charges() const { return charges_.get(); }  // or NULL
  // What an error says of an atom that a stage has refused; `given` are the atoms on the host.
  std::string message(const Refusal& refusal, const Centres& given) const {
    return stages_[refusal.stage]->message(refusal, given);
  }

 private:
  void number(const Term<Stage>& term);

  int64_t width_;
  std::vector<Term<Stage>> terms_;
  std::unique_ptr<ChargeTerm> charges_;
  std::vector<const Stage*> stages_;  // of all terms, by their numbers
};

}  // namespace deeptf::device
