// Times the engine's own path on water (bench_model.h) with the reference net: a call takes
// positions from the host, searches neighbours and brings energy, forces and virial back.
#pragma once

#include "bench_attention.h"
#include "engine/cuda/api_table.h"
#include "kind_models.h"
#include "table_model.h"

namespace deeptf_test {

inline void set_reference(bool single, ModelBytes* model) {
  model->width = kWidth;
  model->axis = kAxis;
  model->rcut = kRcut;
  model->rcut_smth = kSmooth;
  model->neuron = {240, 240, 240};
  model->data_nodes = kData;
  model->near_nodes = kNear;
  model->single = single;
}

inline std::string table_bytes(bool single) {
  TableModel model;
  set_reference(single, &model);
  return model.bytes();
}

// Two layers of attention, with one net for all types and gates of them.
inline std::string attention_bytes(bool single) {
  AttentionModel model;
  set_reference(single, &model);
  model.attn = kAttn;
  return model.bytes();
}

class EngineModel {
 public:
  explicit EngineModel(const std::string& bytes) {
    check(api_.load("water.pb", bytes.data(), bytes.size(), 0, &model_));
  }
  ~EngineModel() { api_.free(model_); }
  EngineModel(const EngineModel&) = delete;
  EngineModel& operator=(const EngineModel&) = delete;

  void step(const Water& water, std::vector<double>* force) const {
    double energy = 0, virial[9] = {};
    deeptf_frames frames{};
    frames.size = sizeof frames;
    frames.num_frames = 1;
    frames.num_atoms = static_cast<int32_t>(water.type.size());
    const int32_t row[] = {0, frames.num_atoms};
    frames.frame_row = row;
    frames.coord = water.coord.data();
    frames.cell = water.cell.data();
    frames.type = water.type.data();
    deeptf_results results{};
    results.size = sizeof results;
    results.energy = &energy;
    results.force = force->data();
    results.virial = virial;
    const deeptf_options options{};
    check(api_.evaluate(model_, &frames, &options, &results));
  }

 private:
  void check(int failed) const {
    if (failed) throw deeptf::Error(api_.last_error());
  }

  const deeptf::CudaApi& api_ = *deeptf_engine_cuda_api();
  void* model_ = nullptr;
};

// Median time of a step in us: of 30, or as many as take two seconds. The first ones find out how
// much memory there must be, and record a graph.
inline double time_of_engine(const Water& water, const std::string& bytes) {
  const EngineModel model(bytes);
  std::vector<double> force(water.coord.size()), times;
#ifdef __CUDACC__
  constexpr size_t kMost = 30;
  for (int k = 0; k < 3; ++k) model.step(water, &force);
#else
  constexpr size_t kMost = 1;
#endif
  double total = 0;
  while (times.size() < kMost && total < 2e6) {
    const auto begin = std::chrono::steady_clock::now();
    model.step(water, &force);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    times.push_back(1e6 * passed.count());
    total += times.back();
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

}  // namespace deeptf_test
