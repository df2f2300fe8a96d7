// The words behind `pair_style deeptf`, and where models run. Knows nothing of LAMMPS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deeptf.h"

namespace deeptf_lammps {

// Where the parameters of a frame or of atoms come from.
struct Source {
  enum Kind { none, numbers, compute, fix, ttm };
  Kind kind = none;
  std::string words;           // as they were given, for messages
  std::vector<double> values;  // of all frames or atoms
  std::string id;              // of the compute or fix; ttm: of a fix ttm
  int column = 0;  // of a fix with a vector, from 1; 0: its scalar, or all of the vector
};

struct Arguments {
  Arguments() = default;
  // Throws std::runtime_error.
  explicit Arguments(const std::vector<std::string>& words);

  std::vector<std::string> models;  // paths; the first one drives
  std::string out_file = "model_devi.out";
  int64_t out_freq = 100;
  bool writes = false;    // out_file or out_freq was given
  double relative = 0;    // of forces, eV/A; 0: deviations are absolute
  double relative_v = 0;  // of virials, eV
  bool atomic = false;    // the file has a column for each atom
  int threads = 0;        // 0: as many as LAMMPS has
  deeptf_gpu gpu = DEEPTF_GPU_AUTO;
  Source fparam, aparam;
};

// The keywords behind the model files, for messages.
std::string names_of_keywords();

// What a word behind `key` says of where a model runs. Throws std::runtime_error.
deeptf_gpu gpu_of(const std::string& key, const std::string& word);

}  // namespace deeptf_lammps
