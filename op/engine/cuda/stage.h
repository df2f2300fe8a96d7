// A stage of a plan on a device, made from the same JSON and constants as that of the CPU
// (engine/plan/stage.h). A new one brings a file and a line in registry.cu.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/cuda/runtime.h"
#include "engine/cuda/values.h"
#include "engine/plan/stage.h"
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

std::unique_ptr<Stage> make_environment(const StageReader& reader);
std::unique_ptr<Stage> make_embedding_sum(const StageReader& reader);
std::unique_ptr<Stage> make_network_sum(const StageReader& reader);
std::unique_ptr<Stage> make_pair_network(const StageReader& reader);
std::unique_ptr<Stage> make_attention_sum(const StageReader& reader);
std::unique_ptr<Stage> make_triple_sum(const StageReader& reader);
std::unique_ptr<Stage> make_triple_network_sum(const StageReader& reader);
std::unique_ptr<Stage> make_empty_places(const StageReader& reader);
std::unique_ptr<Stage> make_moment_product(const StageReader& reader);
std::unique_ptr<Stage> make_scaled_sum(const StageReader& reader);
std::unique_ptr<Stage> make_scaled(const StageReader& reader);
std::unique_ptr<Stage> make_local_frames(const StageReader& reader);
std::unique_ptr<Stage> make_concatenation(const StageReader& reader);
std::unique_ptr<Stage> make_within(const StageReader& reader);
std::unique_ptr<Stage> make_pair_table(const StageReader& reader);
std::unique_ptr<Stage> make_zbl(const StageReader& reader);
std::unique_ptr<Stage> make_soft_minimum(const StageReader& reader);
std::unique_ptr<Stage> make_blend(const StageReader& reader);
std::unique_ptr<Stage> make_fitting_net(const StageReader& reader);
std::unique_ptr<Stage> make_property_net(const StageReader& reader);
std::unique_ptr<Stage> make_axes(const StageReader& reader);
std::unique_ptr<Stage> make_axis_vector(const StageReader& reader);
std::unique_ptr<Stage> make_axis_tensor(const StageReader& reader);

// Whether there is a stage of that name on a device.
bool has_kernel(const std::string& name);
// Throws Error for a stage that is damaged, or has no kernel on a device.
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
  explicit Constant(const Aligned<T>& host) : Constant(host.data(), host.size()) {}

  // NULL where there are none.
  const T* data() const {
    return memory_ ? reinterpret_cast<const T*>(memory_->at_least(0)) : nullptr;
  }

 private:
  std::unique_ptr<Memory> memory_;
};

}  // namespace deeptf::device
