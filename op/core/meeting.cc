// See meeting.h. A message of MPI or Horovod takes other threads, which share the core of the one
// that waits; here the waiting thread looks itself.
#include "core/meeting.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <ctime>

#include "core/error.h"

namespace deeptf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAwake = std::chrono::milliseconds(2);  // before a waiting process sleeps
constexpr timespec kSleep = {0, 50'000'000};           // until it looks whether the others live

static_assert(std::atomic<uint32_t>::is_always_lock_free);

// Sleeps while the number is `seen`, but not longer than kSleep.
void sleep_while(const std::atomic<uint32_t>* number, uint32_t seen) {
  syscall(SYS_futex, number, FUTEX_WAIT, seen, &kSleep, nullptr, 0);
}

void wake_all(const std::atomic<uint32_t>* number) {
  syscall(SYS_futex, number, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool has_ended(int pipe) {
  pollfd look = {pipe, 0, 0};
  return poll(&look, 1, 0) > 0;
}

}  // namespace

SharedMemory::SharedMemory(const std::string& file, size_t bytes) : bytes_(bytes) {
  const int opened = open(file.c_str(), O_RDWR | O_CLOEXEC);
  void* mapped = MAP_FAILED;
  if (opened >= 0 && ftruncate(opened, static_cast<off_t>(bytes)) == 0) {
    mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  }
  const int error = errno;
  if (opened >= 0) close(opened);
  if (mapped == MAP_FAILED) {
    throw Error("memory that processes share, `" + file +
                "`, must be mapped, but that failed: " + std::strerror(error));
  }
  data_ = static_cast<char*>(mapped);
}

SharedMemory::~SharedMemory() { munmap(data_, bytes_); }

size_t Meeting::bytes(int64_t processes) {
  return static_cast<size_t>(processes) * sizeof(Arrival);
}

Meeting::Meeting(char* place, const Node& node)
    : arrivals_(reinterpret_cast<Arrival*>(place)), rank_(node.rank), pipes_(node.pipes) {}

void Meeting::meet() const {
  const uint32_t times = ++arrivals_[rank_].times;
  wake_all(&arrivals_[rank_].times);
  for (size_t process = 0; process < pipes_.size(); ++process) {
    wait_for(static_cast<int64_t>(process), times);
  }
}

void Meeting::wait_for(int64_t process, uint32_t times) const {
  const std::atomic<uint32_t>& number = arrivals_[process].times;
  const auto comes = [&] { return static_cast<int32_t>(number - times) >= 0; };
  const auto end = Clock::now() + kAwake;
  while (!comes()) {
    if (Clock::now() < end) {
      sched_yield();
    } else if (const uint32_t seen = number; static_cast<int32_t>(seen - times) < 0) {
      sleep_while(&number, seen);
      if (has_ended(pipes_[process]) && !comes()) {
        throw Ended("process " + std::to_string(process) + " has ended");
      }
    }
  }
}

}  // namespace deeptf
