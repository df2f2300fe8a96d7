// Model files, read once for all ranks.
#pragma once

#include <mpi.h>

#include <string>

#include "deeptf.hpp"

namespace deeptf_lammps {

struct Loaded {
  deeptf::Model model;
  std::string path;  // on the first rank: of the file that was read
};

// The model in the file `path`, which the first rank alone reads; one of deepmd-kit is converted
// (convert.h). The ranks of a host take its GPUs by turns. All ranks of `world` must call it.
// Throws std::runtime_error, on all ranks.
Loaded load(const std::string& path, deeptf_gpu gpu, MPI_Comm world);

// What a log says of where a model runs, in a line; nothing for the CPU where no GPU is.
std::string where_it_runs(const deeptf::Model& model, const std::string& path);

}  // namespace deeptf_lammps
