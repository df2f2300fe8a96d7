// What the engine needs of CUDA beside kernels: devices, memory, a stream and graphs; no CUDA
// header. Under emulation (core/cuda/emulation.h) the device is the memory of the host.
//
// All functions throw Error with CUDA's reason. Only what frees never does: at the end of a process
// CUDA may be gone already.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/cuda/cuda.h"

namespace deeptf::device {

// GPUs that can be used, at least one; Error without a driver or without any.
int num_gpus();
std::string gpu_name(int gpu);
// Chooses the GPU of this thread, until the end of its scope.
class UsedGpu {
 public:
  explicit UsedGpu(int gpu);
  ~UsedGpu();
  UsedGpu(const UsedGpu&) = delete;
  UsedGpu& operator=(const UsedGpu&) = delete;

 private:
  int before_ = 0;
};
// Where an array of a caller lies.
bool is_on_device(const void* array);

// Memory that grows and never shrinks.
class Memory {
 public:
  enum class Place { device, host };  // that of the host is fast to copy from

  explicit Memory(Place place) : place_(place) {}
  ~Memory() { free(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // What it held is lost when it grows.
  char* at_least(size_t bytes);
  size_t size() const { return size_; }

 private:
  void free();

  Place place_;
  char* data_ = nullptr;
  size_t size_ = 0;
};

// Memory of a step, given out piece by piece and all taken back at once. It settles at what a step
// needs, so that a step like the one before takes nothing from CUDA and gets the same addresses.
class Arena {
 public:
  void* take(size_t bytes);
  // Nothing on the device may use it any more.
  void take_back();

  // What was taken since it was made comes back at its end, for work that is queued from then on.
  class Scope {
   public:
    explicit Scope(Arena* arena) : arena_(arena), used_(arena->used_), more_(arena->more_.size()) {}
    ~Scope() {
      arena_->used_ = used_;
      arena_->more_.resize(more_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena* arena_;
    size_t used_, more_;
  };

  // Changes with the addresses that a step gets.
  const void* begin() { return block_.at_least(0); }

 private:
  Memory block_{Memory::Place::device};
  std::vector<std::unique_ptr<Memory>> more_;
  size_t used_ = 0, most_ = 0;
};

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void* get() const { return stream_; }

 private:
  void* stream_ = nullptr;
};

// Copies between any two places in the order of the stream; memory of the host must be a Memory,
// and stay as it is until the stream has come there.
void copy(const Cuda& cuda, const void* from, size_t bytes, void* to);
// Waits until all that was queued is done.
void wait(const Cuda& cuda);
// The same from any memory of the host, at once.
void copy_now(const void* from, size_t bytes, void* to);

// The work of one step as a CUDA graph, which costs the host one call in place of some forty.
class Graph {
 public:
  Graph() = default;
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Calls queue(), which queues work on the stream and must queue the same for the same key. It is
  // called for a new key; for a key that comes a second time its work is recorded, and from then on
  // done again without calling it. The record of another key with work of the same kind is brought
  // up to date and not made anew.
  void run(const Cuda& cuda, const std::string& key, const std::function<void()>& queue);

 private:
  void record(const Cuda& cuda, const std::function<void()>& queue);

  std::string seen_, recorded_;  // keys
  void* graph_ = nullptr;        // a cudaGraphExec_t
};

}  // namespace deeptf::device
