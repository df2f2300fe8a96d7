// The entry point of the plugin, which LAMMPS looks for by its name.
//
// A class of LAMMPS may have another layout in a build of the same date, so nothing but a static
// function and a function of C is called before it is known that the plugin was compiled for the
// LAMMPS that loads it:
//     DEEPTF_LAMMPS_DESCRIPTOR  what its git_descriptor() gives, such as
//     "stable_22Jul2025_update4",
//                               or its version, "22 Jul 2025", where it was compiled without git
// The version is a pointer that has one place in all releases, after those to other classes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "compute_tensor.h"
#include "force.h"
#include "lammps.h"
#include "lmptype.h"
#include "pair_deeptf.h"

// In liblammps, but not in each program that LAMMPS is linked into.
extern "C" __attribute__((weak)) int lammps_extract_setting(void*, const char*);

namespace {

using LAMMPS_NS::LAMMPS;

// Read from the file by `deeptf doctor`.
constexpr char kBuild[] = "deeptf-lammps|" DEEPTF_LAMMPS_DESCRIPTOR "|";

// lammpsplugin.h, which no LAMMPS installs.
struct lammpsplugin_t {
  const char* version;
  const char* style;
  const char* name;
  const char* info;
  const char* author;
  union {
    void* (*v1)(LAMMPS*);
    void* (*v2)(LAMMPS*, int, char**);
  } creator;
  void* handle;
};
using Register = void (*)(lammpsplugin_t*, void*);

void* new_pair(LAMMPS* lammps) {
  return static_cast<LAMMPS_NS::Pair*>(new deeptf_lammps::PairDeeptf(lammps));
}

void* new_pair_of_spins(LAMMPS* lammps) {
  return static_cast<LAMMPS_NS::Pair*>(new deeptf_lammps::PairDeeptf(lammps, true));
}

void* new_compute(LAMMPS* lammps, int count, char** words) {
  return static_cast<LAMMPS_NS::Compute*>(new deeptf_lammps::ComputeTensor(lammps, count, words));
}

// What is wrong with the LAMMPS that loads the plugin, or nothing.
std::string mismatch(const LAMMPS& lammps) {
  const std::string line = kBuild, wanted = line.substr(line.find('|') + 1);
  const std::string found = LAMMPS::has_git_info() ? LAMMPS::git_descriptor() : lammps.version;
  if (found + "|" != wanted) {
    return "LAMMPS must be " + wanted.substr(0, wanted.size() - 1) +
           ", for which the plugin was compiled, got " + found;
  }
  const int bytes = lammps_extract_setting ? lammps_extract_setting(nullptr, "tagint") : 0;
  if (bytes > 0 && bytes != static_cast<int>(sizeof(LAMMPS_NS::tagint))) {
    return "LAMMPS must have atom IDs of " + std::to_string(sizeof(LAMMPS_NS::tagint)) +
           " bytes, for which the plugin was compiled, got " + std::to_string(bytes);
  }
  return "";
}

bool is_first_rank() {
  int started = 0, rank = 0;
  MPI_Initialized(&started);
  if (started) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank == 0;
}

// Whether LAMMPS loads, or has loaded, a plugin of deepmd-kit: then the names of it are its.
bool has_deepmd(const LAMMPS& lammps) {
  if (lammps.force->pair_map->count("deepmd") != 0) return true;
  const char* const given = std::getenv("LAMMPS_PLUGIN_PATH");
  std::string path = given ? given : "";
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    std::error_code error;
    for (const auto& file :
         std::filesystem::directory_iterator(path.substr(begin, end - begin), error)) {
      const std::string name = file.path().filename().string();
      if (name.find("plugin.so") != std::string::npos &&
          (name.find("deepmd") != std::string::npos || name.rfind("dpplugin", 0) == 0)) {
        return true;
      }
    }
    begin = end + 1;
  }
  return false;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lammps, void* handle,
                                                                         void* register_plugin) {
  const std::string wrong = mismatch(*static_cast<LAMMPS*>(lammps));
  if (!wrong.empty()) {
    if (is_first_rank()) {
      std::fprintf(stderr, "deeptf: pair style deeptf is not there: %s: `deeptf lammps build`\n",
                   wrong.c_str());
    }
    return;
  }
  lammpsplugin_t plugin{};
  plugin.version = static_cast<LAMMPS*>(lammps)->version;
  plugin.style = "pair";
  plugin.name = "deeptf";
  plugin.info = "Deep Potential models of deeptf";
  plugin.author = "deeptf";
  plugin.creator.v1 = new_pair;
  plugin.handle = handle;
  const auto add = reinterpret_cast<Register>(register_plugin);
  add(&plugin, lammps);
  const bool alone = !has_deepmd(*static_cast<LAMMPS*>(lammps));
  plugin.name = "deepmd";
  if (alone) add(&plugin, lammps);
  plugin.name = "deepspin";
  plugin.creator.v1 = new_pair_of_spins;
  if (alone) add(&plugin, lammps);
  plugin.style = "compute";
  plugin.name = "deeptf/tensor/atom";
  plugin.creator.v2 = new_compute;
  add(&plugin, lammps);
  plugin.name = "deeptensor/atom";
  if (alone) add(&plugin, lammps);
}
