// Memory that processes of one host map, and a place in it where they wait for each other.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace deeptf {

// Part of a file that processes map: from `offset` on, a multiple of the system's page, `room`
// bytes.
struct SharedFile {
  std::string name;
  int64_t offset, room;
};

// The first `bytes` of the part, for reading and writing. Throws Error where it has fewer.
std::shared_ptr<char> map_shared(const SharedFile& file, size_t bytes);

// What one process knows of the others on its host.
struct Host {
  int64_t rank;  // of this process, from 0
  // For every process the end for reading of a pipe, of which it alone holds the end for writing:
  // the system closes that when the process ends. That of this process is not used.
  std::vector<int> pipes;
  std::vector<int> processes;  // the numbers that the system gave them
  // Gives memory that all of them see, all zeros at the beginning.
  std::function<std::shared_ptr<char>(size_t bytes)> memory;
  // Gets a message about a process that lives, but has been waited for for `patience`, then for
  // twice as long and so on. One of those that wait gets it.
  std::function<void(const std::string& message)> report;
  std::chrono::milliseconds patience = std::chrono::seconds(60);

  int64_t size() const { return static_cast<int64_t>(pipes.size()); }
};

class Meeting {
 public:
  // Bytes of a place for so many processes.
  static size_t bytes(int64_t processes);

  // place : bytes of shared memory, zeros before the first process meets the others there.
  Meeting(char* place, const Host& host);

  // Returns when all processes have called it as often as this one; what they wrote before can be
  // read then. Throws Ended when one of them ends before.
  void meet() const;

  // How often this process has met the others.
  uint32_t times() const { return arrivals_[host_.rank].times; }

 private:
  struct alignas(64) Arrival {
    std::atomic<uint32_t> times;
  };

  bool has_come(int64_t process, uint32_t times) const;
  void wait_for(int64_t process, uint32_t times) const;
  bool is_first_that_waits(uint32_t times) const;

  Arrival* arrivals_;
  Host host_;
};

}  // namespace deeptf
