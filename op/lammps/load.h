// Model files, read once for all ranks.
#pragma once

#include <mpi.h>

#include <string>

#include "deeptf.hpp"

namespace deeptf_lammps {

// The model in the file `path`, which the first rank alone reads. All ranks of `world` must call
// it. Throws std::runtime_error, on all ranks.
deeptf::Model load(const std::string& path, MPI_Comm world);

}  // namespace deeptf_lammps
