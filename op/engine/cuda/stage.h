// A stage of a plan on a device, made of what that of the CPU is made of (engine/plan/stage.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/cuda/runtime.h"
#include "engine/cuda/values.h"
#include "engine/plan/stage_list.h"
#include "engine/run/centres.h"

namespace deeptf::device {

class Stage {
 public:
  // From the gradient in what a stage has given to that in what it took.
  using Pull = std::function<void()>;

  virtual ~Stage() = default;
  // Queues what gives its value. Without `gradient` no Pull is asked for. Both arguments outlive
  // the Pull. The same arguments queue the same work.
  virtual Pull run(const Block& block, Values& values, bool gradient) const = 0;
  // What an error says of an atom that the stage has refused; `given` are the atoms on the host.
  virtual std::string message(const Refusal&, const Centres& /*given*/) const { return {}; }

  int64_t number = 0;  // of the stages of a plan
};

DEEPTF_STAGES(DEEPTF_DECLARE_MAKER)

// Throws Error for a stage that is damaged, or whose kernel the engine does not have.
std::unique_ptr<Stage> make_stage(const StageReader& reader);

// A copy of numbers of the host.
template <class T>
class Constant {
 public:
  Constant() = default;
  Constant(const T* host, int64_t count)
      : memory_(std::make_unique<Memory>(Memory::Place::device)) {
    copy_now(host, count * sizeof(T), memory_->at_least(std::max<size_t>(count * sizeof(T), 1)));
  }
  // No memory where there are no numbers.
  explicit Constant(const Aligned<T>& host) {
    if (host.size() > 0) *this = Constant(host.data(), host.size());
  }

  // NULL where there is no memory.
  const T* data() const {
    return memory_ ? reinterpret_cast<const T*>(memory_->at_least(0)) : nullptr;
  }

 private:
  std::unique_ptr<Memory> memory_;
};

}  // namespace deeptf::device
