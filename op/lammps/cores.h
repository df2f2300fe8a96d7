// How many threads a rank may have, and its place among those of its host.
#pragma once

#include <mpi.h>

namespace deeptf_lammps {

// The cores that this rank may use, each divided by the ranks of this host that may use it; at
// least
// 1. All ranks of `world` must call it.
int cores_of_rank(MPI_Comm world);

// Which of the ranks of this host this one is, from 0. All ranks of `world` must call it.
int rank_of_host(MPI_Comm world);

}  // namespace deeptf_lammps
