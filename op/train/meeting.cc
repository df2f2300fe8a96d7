// See meeting.h. A message of MPI or Horovod takes other threads, which share the core of the one
// that waits; here the waiting thread looks itself.
#include "train/meeting.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <ctime>
#include <fstream>

#include "core/base/error.h"

namespace deeptf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAwake = std::chrono::milliseconds(2);   // before a waiting process sleeps
constexpr auto kSleep = std::chrono::milliseconds(50);  // until it looks whether the others live

static_assert(std::atomic<uint32_t>::is_always_lock_free);

// Sleeps while the number is `seen`, but not longer than kSleep.
void sleep_while(const std::atomic<uint32_t>* number, uint32_t seen) {
  constexpr timespec longest = {0, std::chrono::nanoseconds(kSleep).count()};
  syscall(SYS_futex, number, FUTEX_WAIT, seen, &longest, nullptr, 0);
}

void wake_all(const std::atomic<uint32_t>* number) {
  syscall(SYS_futex, number, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool has_ended(int pipe) {
  pollfd look = {pipe, 0, 0};
  return poll(&look, 1, 0) > 0;
}

// Whether a signal has stopped the process, as the system's table of processes says it.
bool is_stopped(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t name = line.rfind(") ");  // the state follows the program's name
  return name != std::string::npos && line.compare(name + 2, 1, "T") == 0;
}

std::string about_wait(int64_t rank, int process, std::chrono::milliseconds slept) {
  const std::string number = std::to_string(process);
  return "the others have waited " + std::to_string(slept.count() / 1000) + " s for worker " +
         std::to_string(rank) + " (process " + number + "), which " +
         (is_stopped(process) ? "is stopped: `kill -CONT " + number + "` lets it go on, "
                              : std::string("runs, but does not come: ")) +
         "`kill -KILL " + number + "` ends the run";
}

}  // namespace

std::shared_ptr<char> map_shared(const SharedFile& file, size_t bytes) {
  const int opened = open(file.name.c_str(), O_RDWR | O_CLOEXEC);
  void* mapped = MAP_FAILED;
  struct stat status = {};
  if (opened >= 0 && fstat(opened, &status) == 0) {
    const int64_t room = std::min<int64_t>(file.room, status.st_size - file.offset);
    if (room < static_cast<int64_t>(bytes)) {
      close(opened);
      throw Error("memory that processes share, `" + file.name + "`, must have room for " +
                  std::to_string(bytes) + " bytes, got " + std::to_string(room));
    }
    mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, opened, file.offset);
  }
  const int error = errno;
  if (opened >= 0) close(opened);
  if (mapped == MAP_FAILED) {
    throw Error("memory that processes share, `" + file.name +
                "`, must be mapped, but that failed: " + std::strerror(error));
  }
  return {static_cast<char*>(mapped), [bytes](char* data) { munmap(data, bytes); }};
}

size_t Meeting::bytes(int64_t processes) {
  return static_cast<size_t>(processes) * sizeof(Arrival);
}

Meeting::Meeting(char* place, const Host& host)
    : arrivals_(reinterpret_cast<Arrival*>(place)), host_(host) {}

void Meeting::meet() const {
  std::atomic<uint32_t>& own = arrivals_[host_.rank].times;
  const uint32_t times = ++own;
  wake_all(&own);
  for (int64_t process = 0; process < host_.size(); ++process) wait_for(process, times);
}

bool Meeting::has_come(int64_t process, uint32_t times) const {
  return static_cast<int32_t>(arrivals_[process].times - times) >= 0;
}

// Whether all before this process are still to come: one of those that wait is enough to say it.
bool Meeting::is_first_that_waits(uint32_t times) const {
  for (int64_t process = 0; process < host_.rank; ++process) {
    if (has_come(process, times)) return false;
  }
  return true;
}

void Meeting::wait_for(int64_t process, uint32_t times) const {
  const std::atomic<uint32_t>& number = arrivals_[process].times;
  const auto end = Clock::now() + kAwake;
  std::chrono::milliseconds slept{0}, patience = host_.patience;
  while (!has_come(process, times)) {
    if (Clock::now() < end) {
      sched_yield();
    } else if (const uint32_t seen = number; static_cast<int32_t>(seen - times) < 0) {
      sleep_while(&number, seen);
      if (has_ended(host_.pipes[process]) && !has_come(process, times)) {
        throw Ended("process " + std::to_string(process) + " has ended");
      }
      slept += kSleep;  // not by the clock: a process that was stopped itself has not waited
      if (slept < patience || has_come(process, times)) continue;
      patience *= 2;
      if (is_first_that_waits(times)) {
        host_.report(about_wait(process, host_.processes[process], slept));
      }
    }
  }
}

}  // namespace deeptf
