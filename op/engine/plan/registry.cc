// The stages on the CPU.
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

const Makers<Stage>& makers() {
  static const Makers<Stage> all{DEEPTF_STAGES(DEEPTF_MAKER)};
  return all;
}

}  // namespace

bool has_kernel(const std::string& name) { return makers().count(name) > 0; }

std::unique_ptr<Stage> make_stage(const StageReader& reader) {
  return make_known(makers(), reader);
}

}  // namespace deeptf
