// See runtime.h.
#include <cstdlib>
#include <new>

#include "core/cuda/device.h"
#include "engine/cuda/runtime.h"

namespace deeptf::device {

char* Memory::at_least(size_t bytes) {
  if (bytes <= size_) return data_;
  free();
#ifdef __CUDACC__
  void* data = nullptr;
  const cudaError_t status =
      place_ == Place::device ? cudaMalloc(&data, bytes) : cudaMallocHost(&data, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // or the next launch reports it too
    throw Error("the GPU must have " + std::to_string(bytes >> 20) +
                " MiB of free memory, got less: evaluate fewer atoms at a time");
  }
  check_cuda(status);
  data_ = static_cast<char*>(data);
#else
  data_ = static_cast<char*>(std::malloc(bytes));
  if (data_ == nullptr) throw std::bad_alloc();
  std::fill_n(data_, bytes, '\xff');  // nobody may count on what is in fresh memory
#endif
  size_ = bytes;
  return data_;
}

void* Arena::take(size_t bytes) {
#ifdef __CUDACC__
  const size_t begin = used_, size = std::max<size_t>((bytes + 255) / 256 * 256, 256);
  used_ += size;
  most_ = std::max(most_, used_);
  if (used_ <= block_.size()) return block_.at_least(0) + begin;
  const size_t piece = size;
#else
  const size_t piece = std::max<size_t>(bytes, 1);  // each by itself: ASan sees where it ends
#endif
  more_.push_back(std::make_unique<Memory>(Memory::Place::device));
  return more_.back()->at_least(piece);
}

void Arena::take_back() {
  if (!more_.empty()) {
    more_.clear();
    block_.at_least(most_);
  }
  used_ = 0;
}

#ifdef __CUDACC__

int num_gpus() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  throw Error(std::string("a GPU of NVIDIA with its driver must be there, got CUDA's answer `") +
              cudaGetErrorString(status == cudaSuccess ? cudaErrorNoDevice : status) + "`");
}

std::string gpu_name(int gpu) {
  cudaDeviceProp properties;
  check_cuda(cudaGetDeviceProperties(&properties, gpu));
  return properties.name;
}

UsedGpu::UsedGpu(int gpu) {
  check_cuda(cudaGetDevice(&before_));
  check_cuda(cudaSetDevice(gpu));
}

UsedGpu::~UsedGpu() { cudaSetDevice(before_); }

bool is_on_device(const void* array) {
  if (array == nullptr) return false;
  cudaPointerAttributes found{};
  check_cuda(cudaPointerGetAttributes(&found, array));
  return found.type == cudaMemoryTypeDevice || found.type == cudaMemoryTypeManaged;
}

void Memory::free() {
  if (data_ != nullptr) place_ == Place::device ? cudaFree(data_) : cudaFreeHost(data_);
  data_ = nullptr;
  size_ = 0;
}

Stream::Stream() {
  cudaStream_t stream = nullptr;
  check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  stream_ = stream;
}

Stream::~Stream() { cudaStreamDestroy(static_cast<cudaStream_t>(stream_)); }

void copy(const Cuda& cuda, const void* from, size_t bytes, void* to) {
  if (bytes > 0) check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(cuda)));
}

void wait(const Cuda& cuda) { check_cuda(cudaStreamSynchronize(stream_of(cuda))); }

// A copy to the device may still be on its way when cudaMemcpy returns, and our streams do not wait
// for its stream.
void copy_now(const void* from, size_t bytes, void* to) {
  check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyDefault));
  check_cuda(cudaStreamSynchronize(cudaStreamLegacy));
}

Graph::~Graph() {
  if (graph_ != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph_));
}

void Graph::run(const Cuda& cuda, const std::string& key, const std::function<void()>& queue) {
  if (key != seen_) {
    seen_ = key;
    return queue();
  }
  if (key != recorded_ || graph_ == nullptr) {
    recorded_.clear();
    record(cuda, queue);
    recorded_ = key;
  }
  check_cuda(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph_), stream_of(cuda)));
}

namespace {

bool update(cudaGraphExec_t graph, cudaGraph_t from) {
#if CUDART_VERSION >= 12000
  cudaGraphExecUpdateResultInfo info;
  const bool same = cudaGraphExecUpdate(graph, from, &info) == cudaSuccess;
#else
  cudaGraphNode_t node;
  cudaGraphExecUpdateResult result;
  const bool same = cudaGraphExecUpdate(graph, from, &node, &result) == cudaSuccess;
#endif
  cudaGetLastError();
  return same;
}

}  // namespace

void Graph::record(const Cuda& cuda, const std::function<void()>& queue) {
  // What other threads do meanwhile is none of its business.
  check_cuda(cudaStreamBeginCapture(stream_of(cuda), cudaStreamCaptureModeThreadLocal));
  cudaGraph_t found = nullptr;
  try {
    queue();
  } catch (...) {
    cudaStreamEndCapture(stream_of(cuda), &found);
    if (found != nullptr) cudaGraphDestroy(found);
    cudaGetLastError();
    throw;
  }
  check_cuda(cudaStreamEndCapture(stream_of(cuda), &found));
  auto graph = static_cast<cudaGraphExec_t>(graph_);
  cudaError_t status = cudaSuccess;
  if (graph == nullptr || !update(graph, found)) {
    if (graph != nullptr) cudaGraphExecDestroy(graph);
    graph = nullptr;
    status = cudaGraphInstantiateWithFlags(&graph, found, 0);
  }
  cudaGraphDestroy(found);
  graph_ = graph;
  check_cuda(status);
}

#else

int num_gpus() { return 1; }
std::string gpu_name(int) { return "emulated"; }
UsedGpu::UsedGpu(int) {}
UsedGpu::~UsedGpu() = default;
bool is_on_device(const void*) { return false; }

void Memory::free() {
  std::free(data_);
  data_ = nullptr;
  size_ = 0;
}

Stream::Stream() = default;
Stream::~Stream() = default;

void copy(const Cuda&, const void* from, size_t bytes, void* to) {
  std::copy_n(static_cast<const char*>(from), bytes, static_cast<char*>(to));
}

void wait(const Cuda&) {}

void copy_now(const void* from, size_t bytes, void* to) {
  std::copy_n(static_cast<const char*>(from), bytes, static_cast<char*>(to));
}

Graph::~Graph() = default;

void Graph::run(const Cuda&, const std::string&, const std::function<void()>& queue) { queue(); }

#endif

}  // namespace deeptf::device
