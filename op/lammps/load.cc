#include "load.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "convert.h"
#include "cores.h"

namespace deeptf_lammps {
namespace {

constexpr char kCpu[] = "CPU";
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

void read_deeptf(const std::string& path, const deeptf_load_options& options, Read* read) {
  read->path = path;
  read->content = content_of(path);
  read->model.emplace(path, read->content.data(), read->content.size(), &options);
}

Read read(const std::string& path, const deeptf_load_options& options) {
  Read read;
  try {
    read_deeptf(path, options, &read);
  } catch (const std::runtime_error& error) {
    read.error = error.what();
  }
  if (!is_of_deepmd(read.error)) return read;
  try {
    read_deeptf(converted(path), options, &read);
    read.error.clear();
  } catch (const std::runtime_error& error) {
    read.error = error.what();
  }
  return read;
}

// MPI_Bcast, but whoever waits leaves the core to others: a broadcast has hundreds of parts, and
// with more ranks than cores each would take as long as a rank may keep its core.
void broadcast(void* bytes, int count, int root, MPI_Comm world) {
#ifndef MPI_STUBS  // LAMMPS's stand-in where there is one rank
  MPI_Request request;
  MPI_Ibcast(bytes, count, MPI_BYTE, root, world, &request);
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
#endif
}

void broadcast(std::string* text, int root, MPI_Comm world) {
  auto size = static_cast<long long>(text->size());
  broadcast(&size, sizeof size, root, world);
  text->resize(size);
  for (long long begin = 0; begin < size; begin += kPart) {
    broadcast(&(*text)[begin], static_cast<int>(std::min(kPart, size - begin)), root, world);
  }
}

// Throws the error of the first rank that has one, on all ranks.
void throw_together(std::string error, int rank, MPI_Comm world) {
#ifndef MPI_STUBS
  constexpr int kNone = INT_MAX;
  int own = error.empty() ? kNone : rank, first = kNone;
  MPI_Allreduce(&own, &first, 1, MPI_INT, MPI_MIN, world);
  if (first != kNone) broadcast(&error, first, world);
#else
  (void)rank, (void)world;
#endif
  if (!error.empty()) throw std::runtime_error(error);
}

deeptf_load_options options_of(deeptf_gpu gpu, MPI_Comm world) {
  deeptf_load_options options{};
  options.size = sizeof options;
  options.gpu = gpu;
  const int rank = rank_of_host(world), gpus = gpu == DEEPTF_GPU_NO ? 0 : deeptf_num_gpus();
  options.gpu_number = gpus > 0 ? rank % gpus : 0;
  return options;
}

}  // namespace

std::string where_it_runs(const deeptf::Model& model, const std::string& path) {
  const std::string reason = model.no_gpu_reason();
  if (model.device() == kCpu && reason.empty()) return "";
  return "Model " + path + " runs on " + model.device() + (reason.empty() ? "" : ": " + reason) +
         "\n";
}

Loaded load(const std::string& path, deeptf_gpu gpu, MPI_Comm world) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  const deeptf_load_options options = options_of(gpu, world);
  Read found;
  if (rank == 0) found = read(path, options);
  throw_together(found.error, rank, world);
  broadcast(&found.content, 0, world);
  try {
    const std::string& content = found.content;
    if (rank != 0) found.model.emplace(path, content.data(), content.size(), &options);
  } catch (const std::runtime_error& error) {
    found.error = error.what();
  }
  throw_together(found.error, rank, world);
  return {std::move(*found.model), found.path};
}

}  // namespace deeptf_lammps
