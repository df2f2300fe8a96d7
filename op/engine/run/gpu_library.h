// libdeeptf_engine_cuda.so beside this core: opened when it is first asked for, never closed.
#pragma once

#include <string>

#include "engine/cuda/api_table.h"

namespace deeptf {

struct GpuLibrary {
  const CudaApi* api = nullptr;  // NULL where it cannot be opened
  int32_t num_gpus = 0;
  std::string error;  // why there is no GPU
};

const GpuLibrary& gpu_library();

}  // namespace deeptf
