#include "engine/tensorflow/library.h"

#include <dlfcn.h>

#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "engine/build_line.h"

namespace deeptf {
namespace {

// TensorFlow for C, and that of Python's package, which has the functions of C too.
constexpr const char* kNames[] = {"libtensorflow.so.2", "libtensorflow_cc.so.2"};
constexpr const char* kFramework = "libtensorflow_framework.so.2";
constexpr const char* kOps = "libdeeptf.so";
constexpr const char* kBuild = "`pip install .` in the source folder of deeptf builds it";

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

std::string loader_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "no reason";
}

// The file of the library that has a function or constant.
std::string file_of(const void* inside) {
  Dl_info info{};
  const bool found = dladdr(inside, &info) != 0 && info.dli_fname != nullptr;
  return found ? info.dli_fname : "";
}

void* open_given(const std::string& path) {
  const std::string folder = folder_of(path);
  if (!folder.empty()) dlopen((folder + kFramework).c_str(), RTLD_NOW | RTLD_LOCAL);
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

void* open_library(const char* given) {
  std::string reasons;
  if (given != nullptr) {
    if (void* library = open_given(given)) return library;
    reasons = loader_error();
  } else {
    for (const char* name : kNames) {
      if (void* library = dlopen(name, RTLD_NOW | RTLD_NOLOAD)) return library;
    }
    for (const char* name : kNames) {
      if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
      reasons += (reasons.empty() ? "" : "; ") + loader_error();
    }
  }
  throw Error(
      "the plan of the model must be one of kernels that this engine has, or TensorFlow's C "
      "library be there to run its graph, got neither (" +
      reasons +
      "): give its path as `tensorflow` in deeptf_load_options, that of libtensorflow.so.2, or of "
      "libtensorflow_cc.so.2 in the folder of Python's package tensorflow; or add its folder to "
      "LD_LIBRARY_PATH");
}

TensorFlow functions_of(void* library, const char* given) {
  TensorFlow tf{};
#define DEEPTF_FIND(function)                                                               \
  tf.function = reinterpret_cast<decltype(tf.function)>(dlsym(library, #function));         \
  if (tf.function == nullptr) {                                                             \
    throw Error("`tensorflow` must be the C library of TensorFlow 2, got " +                \
                std::string(given != nullptr ? given : kNames[0]) + " without " #function); \
  }
  DEEPTF_TENSORFLOW_FUNCTIONS(DEEPTF_FIND)
#undef DEEPTF_FIND
  return tf;
}

// The words of the build line in op/tf/build_info.cc, deeptf's version and TensorFlow's.
std::vector<std::string> ops_build_line(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw Error("the op library `" + path +
                "` must be there to run a model in TensorFlow, got no " + "such file: " + kBuild +
                "; its path is `ops` in deeptf_load_options");
  }
  const std::vector<std::string> words = build_line(stream, "deeptf-bindings|", 2);
  if (words.size() < 2) {
    throw Error("`" + path + "` must be the ops of deeptf, got another file: " + kBuild);
  }
  return words;
}

std::string release(const std::string& version) { return version.substr(0, version.rfind('.')); }

// A library made for another one would end the process.
void check_ops(const std::string& path, const std::string& tensorflow) {
  const std::vector<std::string> line = ops_build_line(path);
  if (line[0] != DEEPTF_VERSION) {
    throw Error("the op library `" + path + "` must be of deeptf " DEEPTF_VERSION ", got " +
                line[0] + ": " + kBuild);
  }
  if (release(line[1]) != release(tensorflow)) {
    throw Error("the op library `" + path + "` must be built for TensorFlow " + tensorflow +
                ", got one for " + line[1] + ": give a TensorFlow " + release(line[1]) +
                " as `tensorflow` in deeptf_load_options, or ops that are built for this one");
  }
}

// The ops take the kernels from the core that is in the process, and its type of Error.
std::string show_core() {
  static const char inside = 0;
  const std::string core = file_of(&inside);
  if (core.empty() || dlopen(core.c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL) == nullptr) {
    throw Error(
        "the engine must be in libdeeptf_core.LEVEL.so to run a model in TensorFlow, got `" + core +
        "`");
  }
  return core;
}

void load_ops(const TensorFlow& tf, const char* given) {
  const std::string core = show_core();
  const std::string path = given != nullptr ? given : folder_of(core) + kOps;
  check_ops(path, tf.TF_Version());
  const std::unique_ptr<TF_Status, void (*)(TF_Status*)> status(tf.TF_NewStatus(),
                                                                tf.TF_DeleteStatus);
  tf.TF_LoadLibrary(path.c_str(), status.get());
  if (tf.TF_GetCode(status.get()) != TF_OK) {
    throw Error("the op library `" + path + "` must match TensorFlow " + tf.TF_Version() +
                " and this system, got `" + tf.TF_Message(status.get()) + "`: " + kBuild);
  }
}

// Whoever names a library must not get another one.
void check_is_open(const char* given, const char* name, const TensorFlow& tf) {
  if (given == nullptr || dlopen(given, RTLD_NOW | RTLD_NOLOAD) != nullptr) return;
  throw Error("the plan of the model must be one of kernels that this engine has, or `" +
              std::string(name) +
              "` must be what this process has opened for an earlier model, with TensorFlow from " +
              file_of(reinterpret_cast<const void*>(tf.TF_Version)) + ", got " + given);
}

}  // namespace

const TensorFlow& open_tensorflow(const deeptf_load_options& options) {
  static std::mutex mutex;
  static std::optional<TensorFlow> open;  // until the process ends
  const std::lock_guard<std::mutex> lock(mutex);
  if (!open) {
    const TensorFlow found = functions_of(open_library(options.tensorflow), options.tensorflow);
    load_ops(found, options.ops);
    open = found;
  }
  check_is_open(options.tensorflow, "tensorflow", *open);
  check_is_open(options.ops, "ops", *open);
  return *open;
}

}  // namespace deeptf
