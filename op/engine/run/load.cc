// Who runs a model: the engine where it has all kernels of the plan, else TensorFlow.
#include "engine/plan/plan.h"
#include "engine/run/model.h"

namespace deeptf {

std::unique_ptr<Model> load_model(const ModelFile& file, const deeptf_load_options& options) {
  return Plan::is_known(file.metadata()) ? load_native(file) : load_with_tensorflow(file, options);
}

}  // namespace deeptf
