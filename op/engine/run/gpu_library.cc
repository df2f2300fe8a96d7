#include "engine/run/gpu_library.h"

#include <dlfcn.h>

#include "core/base/error.h"
#include "engine/build_line.h"

namespace deeptf {
namespace {

constexpr char kName[] = "libdeeptf_engine_cuda.so";
constexpr char kBuild[] = ": `pip install .` in the source folder of deeptf, where nvcc is found";

// The file that this code is in, less its name.
std::string own_folder() {
  static const char inside = 0;
  Dl_info info{};
  const std::string path = dladdr(&inside, &info) && info.dli_fname ? info.dli_fname : "";
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

const CudaApi* open_library(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw Error("kernels for GPUs must be there, got no file `" + path + "`" + kBuild);
  }
  const std::vector<std::string> words = build_line(stream, "deeptf-engine-cuda|", 2);
  if (words.size() < 2 || words[0] != DEEPTF_VERSION) {
    throw Error("kernels for GPUs `" + path + "` must be of deeptf " DEEPTF_VERSION ", got " +
                (words.empty() ? "another file" : words[0]) + kBuild);
  }
  void* const opened = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const function = opened ? dlsym(opened, "deeptf_engine_cuda_api") : nullptr;
  if (!function) {
    throw Error("kernels for GPUs `" + path + "` must match this system, got `" + dlerror() + "`" +
                kBuild);
  }
  return reinterpret_cast<decltype(&deeptf_engine_cuda_api)>(function)();
}

GpuLibrary open_once() {
  GpuLibrary library;
  try {
    library.api = open_library(own_folder() + "/" + kName);
    if (library.api->num_gpus(&library.num_gpus) != 0) {
      library.num_gpus = 0;
      library.error = library.api->last_error();
    }
  } catch (const std::exception& error) {
    library.error = error.what();
  }
  return library;
}

}  // namespace

// It stays: other threads may still evaluate when the process ends.
const GpuLibrary& gpu_library() {
  static const auto* const library = new GpuLibrary(open_once());
  return *library;
}

}  // namespace deeptf
