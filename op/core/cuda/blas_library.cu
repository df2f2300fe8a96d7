// See blas_library.h.
#include <dlfcn.h>

#include "core/base/error.h"
#include "core/cuda/blas_library.h"

namespace deeptf {
namespace {

template <class Function>
void find(void* library, const char* name, Function* function) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) {
    throw Error(std::string("cuBLAS must have the function ") + name + ", got a library without");
  }
  *function = reinterpret_cast<Function>(symbol);
}

}  // namespace

std::vector<std::string> blas_names() {
  return {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"};
}

void* open_blas(const std::vector<std::string>& names) {
  for (const int loaded : {RTLD_NOLOAD, 0}) {
    for (const std::string& name : names) {
      if (void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | loaded)) return library;
    }
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  throw Error("cuBLAS must be loaded or in a folder of the loader, got none of " + all +
              ": install it, or name its folder in LD_LIBRARY_PATH");
}

BlasFunctions blas_functions(void* library) {
  BlasFunctions functions{};
  find(library, "cublasCreate_v2", &functions.create);
  find(library, "cublasSetStream_v2", &functions.set_stream);
  find(library, "cublasSetWorkspace_v2", &functions.set_workspace);
  find(library, "cublasGetStatusString", &functions.status_string);
  find(library, "cublasSgemm_v2", &functions.sgemm);
  find(library, "cublasDgemm_v2", &functions.dgemm);
  find(library, "cublasSgemmBatched", &functions.sgemm_batched);
  find(library, "cublasDgemmBatched", &functions.dgemm_batched);
  return functions;
}

}  // namespace deeptf
