// Memory that processes of one machine map, and a place in it where they wait for each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deeptf {

// A file of `bytes`, longer or shorter before, that is mapped for reading and writing.
class SharedMemory {
 public:
  SharedMemory(const std::string& file, size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  char* data() const { return data_; }

 private:
  char* data_;
  size_t bytes_;
};

// What one process knows of the others on its machine.
struct Node {
  std::string file;  // memory that all of them map, all zeros at the beginning
  int64_t rank;      // of this process, from 0
  // For every process the end for reading of a pipe, of which it alone holds the end for writing:
  // the system closes that when the process ends. That of this process is not used.
  std::vector<int> pipes;

  int64_t size() const { return static_cast<int64_t>(pipes.size()); }
};

class Meeting {
 public:
  // Bytes of a place for so many processes.
  static size_t bytes(int64_t processes);

  // place : bytes of shared memory, zeros before the first process meets the others there.
  Meeting(char* place, const Node& node);

  // Returns when all processes have called it as often as this one; what they wrote before can be
  // read then. Throws Ended when one of them ends before.
  void meet() const;

  // How often this process has met the others.
  uint32_t times() const { return arrivals_[rank_].times; }

 private:
  struct alignas(64) Arrival {
    std::atomic<uint32_t> times;
  };

  void wait_for(int64_t process, uint32_t times) const;

  Arrival* arrivals_;
  int64_t rank_;
  std::vector<int> pipes_;
};

}  // namespace deeptf
