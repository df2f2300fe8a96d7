// A stage of a plan on the CPU, made from its JSON and the constants of the file; stages.py and the
// other *_stages.py in deeptf/model say what each computes.
//
// A new kind of model brings a file with its stage, one with what it reads (for any device) and a
// line in stage_list.h; nothing else here knows kinds of models.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/plan/stage_list.h"
#include "engine/plan/values.h"

namespace deeptf {

// What a stage throws at a pair of the caller's that it cannot take: `reason` goes on behind the
// names of both atoms.
struct WrongPair {
  int64_t pair;
  std::string reason;
};

class Stage {
 public:
  // From the gradient in what a stage has given to that in what it took.
  using Pull = std::function<void()>;

  virtual ~Stage() = default;
  // Gives its value. Without `gradient` no Pull is asked for. Both arguments outlive the Pull.
  virtual Pull run(const AtomBlock& block, Values& values, bool gradient) const = 0;
  // Bytes that an atom takes, of a stage that takes so many that blocks must have few atoms.
  virtual double atom_bytes() const { return 0; }
};

DEEPTF_STAGES(DEEPTF_DECLARE_MAKER)

// Throws Error for a stage that is damaged, or whose kernel the engine does not have.
std::unique_ptr<Stage> make_stage(const StageReader& reader);

}  // namespace deeptf
