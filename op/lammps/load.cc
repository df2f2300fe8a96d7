#include "load.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace deeptf_lammps {
namespace {

constexpr long long kPart = 1 << 30;  // MPI counts in 32 bits

// Of a file, or why it cannot be read.
struct Content {
  std::string bytes;
  int error = 0;
};

Content read(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  if (stream) bytes << stream.rdbuf();
  if (!stream || bytes.str().empty()) return {"", errno != 0 ? errno : EIO};
  return {bytes.str(), 0};
}

}  // namespace

deeptf::Model load(const std::string& path, MPI_Comm world) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  Content content;
  if (rank == 0) content = read(path);
  long long told[2] = {static_cast<long long>(content.bytes.size()), content.error};
  MPI_Bcast(told, 2, MPI_LONG_LONG, 0, world);
  if (told[1] != 0) {
    throw std::runtime_error("model file " + path +
                             " must be readable: " + std::strerror(static_cast<int>(told[1])));
  }
  content.bytes.resize(told[0]);
  for (long long begin = 0; begin < told[0]; begin += kPart) {
    const int count = static_cast<int>(std::min(kPart, told[0] - begin));
    MPI_Bcast(&content.bytes[begin], count, MPI_BYTE, 0, world);
  }
  return deeptf::Model(path, content.bytes.data(), content.bytes.size());
}

}  // namespace deeptf_lammps
