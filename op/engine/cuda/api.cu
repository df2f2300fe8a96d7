// The functions of api_table.h, and the build line of their library.
#include "engine/cuda/api_table.h"
#include "engine/cuda/model.h"
#include "engine/guarded.h"

namespace deeptf {

// Read in the file before it is opened (engine/run/gpu_library.cc, deeptf/ops/library.py).
extern const char engine_cuda_build[] =
    "deeptf-engine-cuda|" DEEPTF_VERSION "|" DEEPTF_ARCHITECTURES "|";

namespace device {
namespace {

Model* model_of(void* model) { return static_cast<Model*>(model); }

const char* last_message() { return last_error().c_str(); }

int count_gpus(int32_t* number) {
  return guarded([&] { *number = num_gpus(); });
}

int load(const char* name, const void* content, size_t length, int32_t gpu, void** model) {
  return guarded([&] {
    const ModelFile file(name, {static_cast<const char*>(content), length});
    *model = new Model(file, gpu);
  });
}

void free(void* model) { delete model_of(model); }

const char* name_of_gpu(const void* model) {
  return static_cast<const Model*>(model)->gpu_name().c_str();
}

template <class Given>
int evaluate(void* model, const Given* given, const deeptf_options* options,
             const deeptf_results* results) {
  return guarded([&] { model_of(model)->evaluate(*given, *options, *results); });
}

}  // namespace
}  // namespace device
}  // namespace deeptf

const deeptf::CudaApi* deeptf_engine_cuda_api() {
  namespace device = deeptf::device;
  static const deeptf::CudaApi api{device::last_message,
                                   device::count_gpus,
                                   device::load,
                                   device::free,
                                   device::name_of_gpu,
                                   device::evaluate<deeptf_frames>,
                                   device::evaluate<deeptf_neighbor_list>,
                                   device::evaluate<deeptf_pairs>};
  return &api;
}
