// Loops on several threads, for kernels that run some 10 to 1000 us.
//
// A sleeping thread takes 20 to 50 us to wake up, and some schedulers put it on the core of the one
// that wakes it: with TensorFlow's own thread pool, which pays that for every loop, two threads
// were 1.4 times as fast as one in a training step. Here helpers stay awake for a moment after a
// loop, in which the next one usually comes. Whoever is free takes the next block of a loop, the
// calling thread among them, and it never waits for a helper that has not begun.
//
// Whoever is awake and waits has the core for itself at first, then only as long as no other thread
// wants it: with more threads than cores, those that wait must not keep those from it that work.
#include "core/base/team.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace deeptf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAwake = std::chrono::milliseconds(2);   // after a loop
constexpr auto kAlone = std::chrono::microseconds(50);  // of a wait, before others get the core
constexpr int kPolls = 50;                              // between two looks at the clock
constexpr int64_t kBlockCycles = 10000;                 // a block takes so long at least
constexpr int64_t kBlocksPerThread = 4;

// Leaves the core to its other hardware thread for some cycles.
inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits for done(), awake, for so long at most; returns whether it came true.
template <class Done>
bool comes_within(Clock::duration longest, const Done& done) {
  const auto begin = Clock::now();
  for (;;) {
    for (int k = 0; k < kPolls; ++k) {
      if (done()) return true;
      pause();
    }
    const auto waited = Clock::now() - begin;
    if (waited >= longest) return false;
    if (waited >= kAlone) std::this_thread::yield();
  }
}

// A loop, cut into blocks. It lives on the stack of its caller.
class Loop {
 public:
  Loop(int64_t count, int64_t blocks, const Range& range)
      : count_(count), blocks_(blocks), range_(range) {
    std::fegetenv(&rounding_);
  }

  // Takes blocks until none is left, in the floating-point mode of the caller.
  void work() {
    std::fesetenv(&rounding_);
    for (int64_t k = next_++; k < blocks_; k = next_++) {
      try {
        range_(count_ * k / blocks_, count_ * (k + 1) / blocks_);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex_);
        error_ = std::current_exception();
      }
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const int64_t count_, blocks_;
  const Range& range_;
  std::fenv_t rounding_;
  std::atomic<int64_t> next_{0};
  std::mutex mutex_;
  std::exception_ptr error_;
};

// A thread that works on the loops that it is given.
class Helper {
 public:
  Helper() : thread_([this] { run(); }) {}

  ~Helper() {
    stop_ = true;
    wake();
    thread_.join();
  }

  void give(Loop* loop) {
    finished_ = false;
    given_ = loop;
    if (asleep_) wake();
  }

  // Takes the loop back from a helper that has not begun; waits for one that has.
  void take_back(Loop* loop) {
    if (given_.compare_exchange_strong(loop, nullptr)) return;
    comes_within(Clock::duration::max(), [this] { return finished_.load(); });
  }

 private:
  void run() {
    while (!stop_) {
      if (Loop* loop = given_.exchange(nullptr)) {
        loop->work();
        finished_ = true;
      } else if (!comes_within(kAwake, [this] { return is_wanted(); })) {
        sleep();
      }
    }
  }

  bool is_wanted() const { return given_ != nullptr || stop_; }

  void sleep() {
    std::unique_lock<std::mutex> lock(mutex_);
    asleep_ = true;
    awake_.wait(lock, [this] { return is_wanted(); });
    asleep_ = false;
  }

  void wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    awake_.notify_one();
  }

  std::atomic<Loop*> given_{nullptr};
  std::atomic<bool> finished_{true}, asleep_{false}, stop_{false};
  std::mutex mutex_;
  std::condition_variable awake_;
  std::thread thread_;  // the last member: it uses the others
};

// The helpers of this process. One loop has them at a time; others run on their own thread.
class Team {
 public:
  void run(int threads, int64_t count, int64_t blocks, const Range& range) {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock) return range(0, count);
    const size_t number = helpers(static_cast<size_t>(std::min<int64_t>(threads, blocks) - 1));
    Loop loop(count, blocks, range);
    for (size_t k = 0; k < number; ++k) helpers_[k].give(&loop);
    loop.work();
    for (size_t k = 0; k < number; ++k) helpers_[k].take_back(&loop);
    loop.rethrow();
  }

 private:
  // Returns how many of so many helpers there are: fewer where the system gives no more threads,
  // which it is asked for once and not in every loop.
  size_t helpers(size_t wanted) {
    wanted = std::min(wanted, most_);
    try {
      while (helpers_.size() < wanted) helpers_.emplace_back();
    } catch (const std::system_error&) {
      most_ = helpers_.size();
    }
    return std::min(helpers_.size(), wanted);
  }

  std::mutex mutex_;
  std::deque<Helper> helpers_;
  size_t most_ = SIZE_MAX;  // helpers that the system gives
};

// The team of this process. A fork gets another one: the helpers of its parent are not there, and a
// lock that one of them had at that moment would stay shut. So no team is ever destroyed.
std::atomic<Team*>& own_team() {
  static std::atomic<Team*> team{[] {
    pthread_atfork(nullptr, nullptr, [] { own_team() = new Team; });
    return new Team;
  }()};
  return team;
}

}  // namespace

Context team_of(int threads) {
  Context context;
  context.threads = threads;
  context.split = [threads](int64_t count, int64_t cycles, const Range& range) {
    const int64_t worth = count * cycles / kBlockCycles;
    const int64_t blocks = std::min({count, worth, threads * kBlocksPerThread});
    if (blocks < 2) return range(0, count);
    own_team().load()->run(threads, count, blocks, range);
  };
  return context;
}

}  // namespace deeptf
