#include "load.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "convert.h"

namespace deeptf_lammps {
namespace {

constexpr long long kPart = 1 << 30;  // MPI counts in 32 bits

// What the first rank has read.
struct Read {
  std::string content, path, error;
  std::optional<deeptf::Model> model;
};

std::string content_of(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  if (stream) bytes << stream.rdbuf();
  if (!stream || bytes.str().empty()) {
    throw std::runtime_error("model file " + path +
                             " must be readable: " + std::strerror(errno != 0 ? errno : EIO));
  }
  return bytes.str();
}

void read_deeptf(const std::string& path, Read* read) {
  read->path = path;
  read->content = content_of(path);
  read->model.emplace(path, read->content.data(), read->content.size());
}

Read read(const std::string& path) {
  Read read;
  try {
    read_deeptf(path, &read);
  } catch (const std::runtime_error& error) {
    read.error = error.what();
  }
  if (!is_of_deepmd(read.error)) return read;
  try {
    read_deeptf(converted(path), &read);
    read.error.clear();
  } catch (const std::runtime_error& error) {
    read.error = error.what();
  }
  return read;
}

// MPI_Bcast, but whoever waits leaves the core to others: a broadcast has hundreds of parts, and
// with more ranks than cores each would take as long as a rank may keep its core.
void broadcast(void* bytes, int count, MPI_Comm world) {
#ifndef MPI_STUBS  // LAMMPS's stand-in where there is one rank
  MPI_Request request;
  MPI_Ibcast(bytes, count, MPI_BYTE, 0, world, &request);
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
#endif
}

void broadcast(std::string* text, MPI_Comm world) {
  auto size = static_cast<long long>(text->size());
  broadcast(&size, sizeof size, world);
  text->resize(size);
  for (long long begin = 0; begin < size; begin += kPart) {
    broadcast(&(*text)[begin], static_cast<int>(std::min(kPart, size - begin)), world);
  }
}

}  // namespace

Loaded load(const std::string& path, MPI_Comm world) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  Read found;
  if (rank == 0) found = read(path);
  broadcast(&found.error, world);
  if (!found.error.empty()) throw std::runtime_error(found.error);
  broadcast(&found.content, world);
  if (rank != 0) found.model.emplace(path, found.content.data(), found.content.size());
  return {std::move(*found.model), found.path};
}

}  // namespace deeptf_lammps
