#include "cores.h"

#include <sched.h>

#include <algorithm>
#include <vector>

namespace deeptf_lammps {

namespace {

// Of each core: how many ranks of this machine may use it. `own` has 1 for those of this rank.
std::vector<int> ranks_on_cores(std::vector<int> own, MPI_Comm world) {
#ifndef MPI_STUBS  // LAMMPS's stand-in where there is one rank
  std::vector<int> ranks(own.size());
  MPI_Comm host;
  MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  MPI_Allreduce(own.data(), ranks.data(), static_cast<int>(own.size()), MPI_INT, MPI_SUM, host);
  MPI_Comm_free(&host);
  return ranks;
#else
  return own;
#endif
}

}  // namespace

int cores_of_rank(MPI_Comm world) {
  std::vector<int> own(CPU_SETSIZE, 0);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  sched_getaffinity(0, sizeof cores, &cores);
  for (int core = 0; core < CPU_SETSIZE; ++core) own[core] = CPU_ISSET(core, &cores) ? 1 : 0;
  const std::vector<int> ranks = ranks_on_cores(own, world);
  double share = 0;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (own[core] != 0) share += 1.0 / ranks[core];
  }
  return std::max(1, static_cast<int>(share + 1e-6));
}

int rank_of_host(MPI_Comm world) {
  int rank = 0;
#ifndef MPI_STUBS
  MPI_Comm host;
  MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &rank);
  MPI_Comm_free(&host);
#else
  (void)world;
#endif
  return rank;
}

}  // namespace deeptf_lammps
