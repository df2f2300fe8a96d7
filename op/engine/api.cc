// The functions of deeptf.h: structs checked, exceptions turned into messages. This is the only
// place that catches them.
#include <cmath>
#include <memory>

#include "core/base/error.h"
#include "engine/api_table.h"
#include "engine/guarded.h"
#include "engine/run/check.h"
#include "engine/run/deviation.h"
#include "engine/run/gpu_library.h"
#include "engine/run/model.h"

struct deeptf_model {
  std::unique_ptr<deeptf::Model> model;
};

namespace deeptf {
namespace api {
namespace {

const Model& model_of(const deeptf_model* model) {
  if (model == nullptr) throw Error("`model` must be one that deeptf_load gave, got NULL");
  return *model->model;
}

const Description& about(const deeptf_model* model) { return model->model->about; }

int32_t num_spin_types(const deeptf_model* model) {
  return model == nullptr ? 0 : about(model).spins.count();
}

int32_t num_types(const deeptf_model* model) {
  return model == nullptr ? 0 : static_cast<int32_t>(about(model).type_map.size());
}

template <class Given>
int evaluate(const deeptf_model* model, const Given* given, const char* name,
             const deeptf_options* options, const deeptf_results* results) {
  return guarded([&] {
    const Model& loaded = model_of(model);
    if (given == nullptr || results == nullptr) {
      throw Error("`" + std::string(given == nullptr ? name : "results") +
                  "` must be given, got NULL");
    }
    const auto own = taken(given, name);
    const auto own_options = taken(options, "options");
    check(own_options);
    if (!loaded.checks_itself()) check(own, loaded.about);
    const auto own_results = taken(results, "results");
    check(own_results, own_options, loaded.about);
    loaded.evaluate(own, own_options, own_results);
  });
}

const char* deeptf_version() { return DEEPTF_VERSION ", kernels for " DEEPTF_MARCH; }

const char* deeptf_last_error() { return last_error().c_str(); }

void set_model(const ModelFile& file, const deeptf_load_options* options, deeptf_model** model) {
  auto loaded = std::make_unique<deeptf_model>();
  try {
    loaded->model = load_model(file, taken(options, "options"));
  } catch (const Error& error) {
    throw Error(file.name() + ": " + error.what());
  }
  *model = loaded.release();
}

int deeptf_load(const char* path, const deeptf_load_options* options, deeptf_model** model) {
  return guarded([&] {
    if (path == nullptr || model == nullptr) {
      throw Error("`path` and `model` must be given, got NULL");
    }
    set_model(ModelFile::read(path), options, model);
  });
}

int deeptf_load_content(const char* name, const void* content, size_t length,
                        const deeptf_load_options* options, deeptf_model** model) {
  return guarded([&] {
    if (name == nullptr || content == nullptr || model == nullptr) {
      throw Error("`name`, `content` and `model` must be given, got NULL");
    }
    set_model(ModelFile(name, {static_cast<const char*>(content), length}), options, model);
  });
}

void deeptf_free(deeptf_model* model) { std::unique_ptr<deeptf_model>{model}; }

int32_t deeptf_num_types(const deeptf_model* model) { return num_types(model); }

const char* deeptf_type_name(const deeptf_model* model, int32_t type) {
  if (type < 0 || type >= num_types(model)) return nullptr;
  return about(model).type_map[type].c_str();
}

double deeptf_rcut(const deeptf_model* model) { return model == nullptr ? 0 : about(model).rcut; }

int32_t deeptf_hops(const deeptf_model* model) { return model == nullptr ? 0 : about(model).hops; }

int32_t deeptf_num_fparam(const deeptf_model* model) {
  return model == nullptr ? 0 : static_cast<int32_t>(about(model).inputs.num_fparam);
}

int32_t deeptf_num_aparam(const deeptf_model* model) {
  return model == nullptr ? 0 : static_cast<int32_t>(about(model).inputs.num_aparam);
}

const char* deeptf_property(const deeptf_model* model) {
  return model == nullptr ? "" : about(model).inputs.property.c_str();
}

int32_t deeptf_width(const deeptf_model* model) {
  return model == nullptr ? 0 : static_cast<int32_t>(about(model).inputs.width);
}

int32_t deeptf_num_spin_types(const deeptf_model* model) { return num_spin_types(model); }

double deeptf_virtual_len(const deeptf_model* model, int32_t type) {
  if (type < 0 || type >= num_spin_types(model)) return std::nan("");
  return about(model).spins.virtual_len[type];
}

double deeptf_spin_norm(const deeptf_model* model, int32_t type) {
  if (type < 0 || type >= num_spin_types(model)) return std::nan("");
  return about(model).spins.spin_norm[type];
}

double deeptf_data_end(const deeptf_model* model, int32_t centre_type, int32_t neighbor_type) {
  const int32_t types = num_types(model);
  if (centre_type < 0 || centre_type >= types || neighbor_type < 0 || neighbor_type >= types) {
    return std::nan("");
  }
  return about(model).data_end[int64_t{centre_type} * types + neighbor_type];
}

int deeptf_is_native(const deeptf_model* model) {
  return model != nullptr && model->model->is_native() ? 1 : 0;
}

int32_t deeptf_num_gpus() { return gpu_library().num_gpus; }

const char* deeptf_gpu_error() { return gpu_library().error.c_str(); }

const char* deeptf_device(const deeptf_model* model) {
  return model == nullptr ? "" : model->model->device.c_str();
}

const char* deeptf_no_gpu_reason(const deeptf_model* model) {
  return model == nullptr ? "" : model->model->no_gpu_reason.c_str();
}

const char* deeptf_metadata(const deeptf_model* model) {
  return model == nullptr ? "" : about(model).metadata.c_str();
}

int deeptf_evaluate(const deeptf_model* model, const deeptf_frames* frames,
                    const deeptf_options* options, const deeptf_results* results) {
  return evaluate(model, frames, "frames", options, results);
}

int deeptf_evaluate_list(const deeptf_model* model, const deeptf_neighbor_list* list,
                         const deeptf_options* options, const deeptf_results* results) {
  return evaluate(model, list, "list", options, results);
}

int deeptf_evaluate_pairs(const deeptf_model* model, const deeptf_pairs* pairs,
                          const deeptf_options* options, const deeptf_results* results) {
  return evaluate(model, pairs, "pairs", options, results);
}

int deeptf_force_deviation(int32_t num_models, int64_t num_atoms, const double* const* force,
                           double relative, double* deviation) {
  return guarded([&] { force_deviation(num_models, num_atoms, force, relative, deviation); });
}

int deeptf_virial_deviation(int32_t num_models, int64_t num_atoms, const double* const* virial,
                            double relative, double* deviation) {
  return guarded([&] { virial_deviation(num_models, num_atoms, virial, relative, deviation); });
}

}  // namespace
}  // namespace api
}  // namespace deeptf

const deeptf::Api* deeptf_engine_api() {
#define DEEPTF_ENTRY(function) &deeptf::api::function,
  static const deeptf::Api api{DEEPTF_FUNCTIONS(DEEPTF_ENTRY)};
#undef DEEPTF_ENTRY
  return &api;
}
