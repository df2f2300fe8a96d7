// The stages on a device.
#include "engine/cuda/stage.h"

namespace deeptf::device {

std::unique_ptr<Stage> make_stage(const StageReader& reader) {
  static const Makers<Stage> makers{DEEPTF_STAGES(DEEPTF_MAKER)};
  return make_known(makers, reader);
}

}  // namespace deeptf::device
