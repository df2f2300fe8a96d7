// A model that runs on a GPU, by the functions of libdeeptf_engine_cuda.so.
#include "core/base/error.h"
#include "engine/run/gpu_library.h"
#include "engine/run/model.h"

namespace deeptf {
namespace {

class GpuModel final : public Model {
 public:
  GpuModel(const ModelFile& file, const CudaApi& api, int32_t gpu_number) : Model(file), api_(api) {
    const std::string_view content = file.content();
    check(api_.load(file.name().c_str(), content.data(), content.size(), gpu_number, &model_));
    device = "GPU " + std::to_string(gpu_number) + ", " + api_.gpu_name(model_);
  }
  ~GpuModel() override { api_.free(model_); }
  GpuModel(const GpuModel&) = delete;
  GpuModel& operator=(const GpuModel&) = delete;

  bool is_native() const override { return true; }
  bool checks_itself() const override { return true; }

  void evaluate(const deeptf_frames& frames, const deeptf_options& options,
                const deeptf_results& results) const override {
    check(api_.evaluate(model_, &frames, &options, &results));
  }
  void evaluate(const deeptf_neighbor_list& list, const deeptf_options& options,
                const deeptf_results& results) const override {
    check(api_.evaluate_list(model_, &list, &options, &results));
  }
  void evaluate(const deeptf_pairs& pairs, const deeptf_options& options,
                const deeptf_results& results) const override {
    check(api_.evaluate_pairs(model_, &pairs, &options, &results));
  }

 private:
  void check(int failed) const {
    if (failed) throw Error(api_.last_error());
  }

  const CudaApi& api_;
  void* model_ = nullptr;
};

}  // namespace

std::unique_ptr<Model> load_on_gpu(const ModelFile& file, int32_t gpu_number) {
  const GpuLibrary& library = gpu_library();
  if (library.num_gpus < 1) return nullptr;
  return std::make_unique<GpuModel>(file, *library.api, gpu_number);
}

}  // namespace deeptf
