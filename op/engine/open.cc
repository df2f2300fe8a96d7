// libdeeptf_engine.so: the functions of deeptf.h, each that of the core for the CPU at hand.
//
// When the first of them is called, the files libdeeptf_core.LEVEL.so beside this library are read:
// their build lines (core/base/build_info.cc) say for which CPU and which deeptf they are. The one
// that uses most of this CPU is opened, as deeptf/ops/library.py chooses it, for this library
// alone. Where none can be, functions that return int fail, and deeptf_last_error says why.
// A copy of this library takes those in the folder of the copy: so a lower level can be timed.
#include <dirent.h>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/api_table.h"
#include "engine/build_line.h"

namespace {

using deeptf::Api;
using Words = std::vector<std::string>;

constexpr char kPrefix[] = "libdeeptf_core.", kSuffix[] = ".so";
constexpr char kBuild[] =
    "install deeptf again: `pip install .` or `cmake -S op -B build` in its source folder";

struct Core {
  std::string path;
  std::string version;  // of deeptf
  std::string level;    // value of -march
  Words features;       // of the CPU that it needs, by their names in /proc/cpuinfo, sorted
};

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

Words sorted(Words words) {
  std::sort(words.begin(), words.end());
  return words;
}

std::string joined(const Words& words, const char* between) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// Those of `features` that are not in `cpu`; both sorted.
Words lacking(const Words& features, const Words& cpu) {
  Words found;
  std::set_difference(features.begin(), features.end(), cpu.begin(), cpu.end(),
                      std::back_inserter(found));
  return found;
}

// Of this CPU, or nothing on a system that does not tell.
Words cpu_features() {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    if (line.compare(0, 5, "flags") == 0) return sorted(words_of(line.substr(line.find(':') + 1)));
  }
  return {};
}

// The folder of this library.
std::string own_folder() {
  static const char inside = 0;
  Dl_info info{};
  if (!dladdr(&inside, &info) || !info.dli_fname) {
    throw std::runtime_error("libdeeptf_engine must be a shared library, got other code");
  }
  const std::string path = info.dli_fname;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Core read_core(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const Words fields = deeptf::build_line(stream, "deeptf-core|", 3);
  if (fields.size() < 3) {
    throw std::runtime_error("`" + path +
                             "` must be a core of deeptf, got another file: " + kBuild);
  }
  Words features;
  for (const auto& word : words_of(fields[2])) {  // NAME=1, or NAME=MACRO: not needed
    const auto equals = word.find('=');
    if (equals != std::string::npos && word.substr(equals) == "=1") {
      features.push_back(word.substr(0, equals));
    }
  }
  return {path, fields[0], fields[1], sorted(features)};
}

// All of a folder, that with most features last.
std::vector<Core> read_cores(const std::string& folder) {
  std::vector<Core> cores;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  const std::string prefix = kPrefix, suffix = kSuffix;
  for (dirent* entry; open && (entry = readdir(open.get()));) {
    const std::string name = entry->d_name;
    if (name.size() >= prefix.size() + suffix.size() &&
        name.compare(0, prefix.size(), prefix) == 0 &&
        name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0) {
      cores.push_back(read_core(folder + "/" + name));
    }
  }
  std::sort(cores.begin(), cores.end(), [](const Core& a, const Core& b) {
    return std::make_pair(a.features.size(), a.level) < std::make_pair(b.features.size(), b.level);
  });
  return cores;
}

Core choose_core(const std::string& folder, const Words& cpu) {
  const auto cores = read_cores(folder);
  const auto wanted = "a core library `" + folder + "/" + kPrefix + "*" + kSuffix + "` must be ";
  if (cores.empty()) throw std::runtime_error(wanted + "beside the engine, got none: " + kBuild);
  if (cpu.empty()) return cores.front();
  for (auto core = cores.rbegin(); core != cores.rend(); ++core) {
    if (lacking(core->features, cpu).empty()) return *core;
  }
  Words levels;
  for (const auto& core : cores) levels.push_back(core.level);
  throw std::runtime_error(wanted + "built for this CPU, got " + joined(levels, ", ") +
                           ", and this CPU lacks " +
                           joined(lacking(cores.front().features, cpu), " ") + " of " +
                           cores.front().level + ": " + kBuild);
}

const Api* open_core(const Core& core) {
  if (core.version != DEEPTF_VERSION) {
    throw std::runtime_error("the core library `" + core.path + "` must be of deeptf " +
                             DEEPTF_VERSION + ", got " + core.version + ": " + kBuild);
  }
  void* const opened = dlopen(core.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const function = opened ? dlsym(opened, "deeptf_engine_api") : nullptr;
  if (!function) {
    throw std::runtime_error("the core library `" + core.path +
                             "` must have the engine and match this system, got `" + dlerror() +
                             "`: " + kBuild);
  }
  return reinterpret_cast<decltype(&deeptf_engine_api)>(function)();
}

struct Opened {
  const Api* api = nullptr;
  const char* error = "";
};

// Never destroyed: other threads may still evaluate when the process ends.
Opened open_once() noexcept {
  Opened result;
  try {
    result.api = open_core(choose_core(own_folder(), cpu_features()));
  } catch (const std::exception& error) {
    result.error = strdup(error.what());
  }
  if (!result.error) result.error = "memory must be there for the names of cores, got none";
  return result;
}

const Opened& opened() {
  static const Opened result = open_once();
  return result;
}

// What a function of the core returns, or `otherwise` where no core is open.
template <class Result, class... Taken, class... Given>
Result call(Result (*Api::*function)(Taken...), Result otherwise, Given... given) {
  const Api* const api = opened().api;
  return api ? (api->*function)(given...) : otherwise;
}

constexpr int kFailed = 1;

}  // namespace

const char* deeptf_version() { return call<const char*>(&Api::deeptf_version, ""); }

const char* deeptf_last_error() {
  return call<const char*>(&Api::deeptf_last_error, opened().error);
}

int deeptf_load(const char* path, const deeptf_load_options* options, deeptf_model** model) {
  return call(&Api::deeptf_load, kFailed, path, options, model);
}

int deeptf_load_content(const char* name, const void* content, size_t length,
                        const deeptf_load_options* options, deeptf_model** model) {
  return call(&Api::deeptf_load_content, kFailed, name, content, length, options, model);
}

// Without a core there is no model, and only NULL can be given to what follows.

void deeptf_free(deeptf_model* model) {
  if (model) opened().api->deeptf_free(model);
}

int32_t deeptf_num_types(const deeptf_model* model) {
  return call(&Api::deeptf_num_types, 0, model);
}

const char* deeptf_type_name(const deeptf_model* model, int32_t type) {
  return call<const char*>(&Api::deeptf_type_name, nullptr, model, type);
}

double deeptf_rcut(const deeptf_model* model) { return call(&Api::deeptf_rcut, 0.0, model); }

int32_t deeptf_hops(const deeptf_model* model) { return call(&Api::deeptf_hops, 0, model); }

int32_t deeptf_num_fparam(const deeptf_model* model) {
  return call(&Api::deeptf_num_fparam, 0, model);
}

int32_t deeptf_num_aparam(const deeptf_model* model) {
  return call(&Api::deeptf_num_aparam, 0, model);
}

const char* deeptf_property(const deeptf_model* model) {
  return call<const char*>(&Api::deeptf_property, "", model);
}

int32_t deeptf_width(const deeptf_model* model) { return call(&Api::deeptf_width, 0, model); }

int32_t deeptf_num_spin_types(const deeptf_model* model) {
  return call(&Api::deeptf_num_spin_types, 0, model);
}

double deeptf_virtual_len(const deeptf_model* model, int32_t type) {
  return call(&Api::deeptf_virtual_len, std::nan(""), model, type);
}

double deeptf_spin_norm(const deeptf_model* model, int32_t type) {
  return call(&Api::deeptf_spin_norm, std::nan(""), model, type);
}

double deeptf_data_end(const deeptf_model* model, int32_t centre_type, int32_t neighbor_type) {
  return call(&Api::deeptf_data_end, std::nan(""), model, centre_type, neighbor_type);
}

int deeptf_is_native(const deeptf_model* model) { return call(&Api::deeptf_is_native, 0, model); }

int32_t deeptf_num_gpus() { return call(&Api::deeptf_num_gpus, 0); }

const char* deeptf_gpu_error() { return call<const char*>(&Api::deeptf_gpu_error, opened().error); }

const char* deeptf_device(const deeptf_model* model) {
  return call<const char*>(&Api::deeptf_device, "", model);
}

const char* deeptf_no_gpu_reason(const deeptf_model* model) {
  return call<const char*>(&Api::deeptf_no_gpu_reason, "", model);
}

const char* deeptf_metadata(const deeptf_model* model) {
  return call<const char*>(&Api::deeptf_metadata, "", model);
}

int deeptf_evaluate(const deeptf_model* model, const deeptf_frames* frames,
                    const deeptf_options* options, const deeptf_results* results) {
  return call(&Api::deeptf_evaluate, kFailed, model, frames, options, results);
}

int deeptf_evaluate_list(const deeptf_model* model, const deeptf_neighbor_list* list,
                         const deeptf_options* options, const deeptf_results* results) {
  return call(&Api::deeptf_evaluate_list, kFailed, model, list, options, results);
}

int deeptf_evaluate_pairs(const deeptf_model* model, const deeptf_pairs* pairs,
                          const deeptf_options* options, const deeptf_results* results) {
  return call(&Api::deeptf_evaluate_pairs, kFailed, model, pairs, options, results);
}

int deeptf_force_deviation(int32_t num_models, int64_t num_atoms, const double* const* force,
                           double relative, double* deviation) {
  return call(&Api::deeptf_force_deviation, kFailed, num_models, num_atoms, force, relative,
              deviation);
}

int deeptf_virial_deviation(int32_t num_models, int64_t num_atoms, const double* const* virial,
                            double relative, double* deviation) {
  return call(&Api::deeptf_virial_deviation, kFailed, num_models, num_atoms, virial, relative,
              deviation);
}
