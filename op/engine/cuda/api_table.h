// What libdeeptf_engine_cuda.so gives to the engine: models on GPUs, by functions of C. The engine
// opens it when a model may use a GPU (engine/run/gpu_library.cc), so it needs no CUDA itself.
//
// Functions that return int give 0, or another number where they failed; then last_error() says
// why. Any number of threads may call them at the same time.
#pragma once

#include "engine/deeptf.h"

namespace deeptf {

struct CudaApi {
  const char* (*last_error)();
  // Fails without a driver or without a GPU.
  int (*num_gpus)(int32_t* number);
  // `content` of a file is not kept. Fails for a plan without kernels on a GPU.
  int (*load)(const char* name, const void* content, size_t length, int32_t gpu, void** model);
  void (*free)(void* model);
  const char* (*gpu_name)(const void* model);  // lives as long as the model
  // Structs are whole: sizes have been dealt with. Arrays may lie on a device where deeptf.h says
  // so.
  int (*evaluate)(void* model, const deeptf_frames* frames, const deeptf_options* options,
                  const deeptf_results* results);
  int (*evaluate_list)(void* model, const deeptf_neighbor_list* list, const deeptf_options* options,
                       const deeptf_results* results);
  int (*evaluate_pairs)(void* model, const deeptf_pairs* pairs, const deeptf_options* options,
                        const deeptf_results* results);
};

}  // namespace deeptf

// The only function that the library exports.
extern "C" const deeptf::CudaApi* deeptf_engine_cuda_api();
