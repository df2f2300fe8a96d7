// Who runs a model: a GPU where that is wanted and there is one, else the engine where it has all
// kernels of the plan, else TensorFlow.
#include "engine/plan/plan.h"
#include "engine/run/gpu_library.h"
#include "engine/run/model.h"

namespace deeptf {
namespace {

// Throws Error where a GPU must be used and cannot. Else NULL, and the reason where there is a GPU.
std::unique_ptr<Model> try_gpu(const ModelFile& file, const deeptf_load_options& options,
                               std::string* reason) {
  if (options.gpu < DEEPTF_GPU_AUTO || options.gpu > DEEPTF_GPU_YES) {
    throw Error("`gpu` must be DEEPTF_GPU_AUTO, _NO or _YES, got " + std::to_string(options.gpu));
  }
  if (options.gpu == DEEPTF_GPU_NO) return nullptr;
  try {
    const GpuLibrary& library = gpu_library();
    if (library.num_gpus > 0) return load_on_gpu(file, options.gpu_number);
    if (options.gpu == DEEPTF_GPU_YES) throw Error(library.error);
  } catch (const Error& error) {
    if (options.gpu == DEEPTF_GPU_YES) {
      throw Error("`gpu` must be auto or no here, got yes: " + std::string(error.what()));
    }
    *reason = error.what();
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Model> load_model(const ModelFile& file, const deeptf_load_options& options) {
  std::string reason;
  if (auto on_gpu = try_gpu(file, options, &reason)) return on_gpu;
  auto model =
      Plan::is_known(file.metadata()) ? load_native(file) : load_with_tensorflow(file, options);
  model->no_gpu_reason = reason;
  return model;
}

}  // namespace deeptf
