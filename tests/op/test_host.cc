// Sums and steps of Adam of several processes, here threads that share their memory, against plain
// loops.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "check.h"
#include "train/host_adam.h"
#include "train/host_sum.h"

using deeptf::AdamArrays;
using deeptf::Host;
using deeptf::HostAdam;
using deeptf::HostSum;
using deeptf::map_shared;
using deeptf_test::close;

namespace {

const std::vector<int64_t> kSizes{0, 1, 15, 16, 17, 1024, 5000};
constexpr deeptf::AdamStep kStep{1e-2, 0.9, 0.99, 1e-8};

template <class T>
using Arrays = std::vector<std::vector<T>>;

// Memory and a pipe for every process. All have it at one address, where a sanitizer sees who
// writes and who reads.
class Machine {
 public:
  explicit Machine(int64_t processes) : ends_(2 * processes) {
    for (int64_t p = 0; p < processes; ++p) {
      if (pipe(&ends_[2 * p]) != 0) std::abort();
    }
  }
  ~Machine() {
    for (const int end : ends_) close_once(end);
  }

  Host host(int64_t rank) const {
    Host host;
    host.rank = rank;
    for (size_t k = 0; k < ends_.size(); k += 2) host.pipes.push_back(ends_[k]);
    host.processes.assign(host.pipes.size(), getpid());
    host.memory = [this](size_t bytes) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!memory_) memory_.reset(new (std::align_val_t(kPage)) char[bytes](), Free());
      return memory_;
    };
    return host;
  }

  // Calls body(rank) in a thread for every process.
  template <class Body>
  void run(const Body& body) const {
    std::vector<std::thread> threads;
    for (int64_t rank = 0; rank < static_cast<int64_t>(ends_.size() / 2); ++rank) {
      threads.emplace_back([&body, rank] { body(rank); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void end(int64_t rank) {
    close_once(ends_[2 * rank + 1]);
    ends_[2 * rank + 1] = -1;
  }

 private:
  static constexpr size_t kPage = 4096;
  struct Free {
    void operator()(char* data) const { operator delete[](data, std::align_val_t(kPage)); }
  };
  static void close_once(int end) {
    if (end >= 0) ::close(end);
  }
  std::vector<int> ends_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<char> memory_;
};

// A process that a signal has stopped, until this is destroyed.
class Stopped {
 public:
  Stopped() : process_(fork()) {
    if (process_ == 0) {
      for (;;) pause();
    }
    kill(process_, SIGSTOP);
    waitpid(process_, nullptr, WUNTRACED);
  }
  ~Stopped() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  int number() const { return process_; }

 private:
  pid_t process_;
};

template <class T>
Arrays<T> normal(int64_t seed) {
  Arrays<T> arrays;
  for (const int64_t size : kSizes) {
    const auto x = deeptf_test::normal(static_cast<size_t>(size), static_cast<unsigned>(seed));
    arrays.emplace_back(x.begin(), x.end());
  }
  return arrays;
}

template <class T>
std::vector<const T*> view(const Arrays<T>& arrays) {
  std::vector<const T*> all;
  for (const auto& array : arrays) all.push_back(array.data());
  return all;
}

// The sum over the processes, whose arrays are normal(first), normal(first + 1), ...
template <class T>
Arrays<T> plain_sum(int64_t first, int64_t processes) {
  Arrays<T> sums = normal<T>(first);
  for (int64_t rank = 1; rank < processes; ++rank) {
    const Arrays<T> next = normal<T>(first + rank);
    for (size_t a = 0; a < sums.size(); ++a) {
      for (size_t k = 0; k < sums[a].size(); ++k) sums[a][k] += next[a][k];
    }
  }
  return sums;
}

template <class T>
void compare_sums(int64_t processes, const deeptf::Context& context) {
  const Machine machine(processes);
  std::vector<Arrays<T>> found(3 * processes, normal<T>(99));
  machine.run([&](int64_t rank) {
    const HostSum<T> sum(machine.host(rank), kSizes);
    for (int64_t call = 0; call < 3; ++call) {
      std::vector<T*> results;
      for (auto& array : found[3 * rank + call]) results.push_back(array.data());
      sum.sum(view(normal<T>(10 * call + rank)), results, context);
    }
  });
  for (size_t k = 0; k < found.size(); ++k) {
    CHECK(found[k] == plain_sum<T>(10 * static_cast<int64_t>(k % 3), processes));
  }
}

// Arrays of w, m, v on which Adam works alone.
template <class T>
struct State {
  Arrays<T> weight = normal<T>(100), first = normal<T>(101), second = normal<T>(102);

  State() {
    for (auto& array : second) {
      for (T& value : array) value *= value;
    }
  }

  void step(const Arrays<T>& gradient) {
    std::vector<AdamArrays<T>> arrays;
    for (size_t a = 0; a < kSizes.size(); ++a) {
      arrays.push_back(
          {kSizes[a], weight[a].data(), first[a].data(), second[a].data(), gradient[a].data()});
    }
    deeptf::adam(arrays, kStep, deeptf_test::serial());
  }
};

template <class T>
bool same(const T* found, const std::vector<T>& wanted) {
  return std::equal(wanted.begin(), wanted.end(), found);
}

// Three steps in the memory; before the last one the weights are somewhere else again.
template <class T>
void compare_steps(int64_t processes, const deeptf::Context& context) {
  const Machine machine(processes);
  State<T> alone;
  std::vector<State<T>> after;
  for (int64_t step = 0; step < 3; ++step) {
    alone.step(plain_sum<T>(10 * step, processes));
    after.push_back(alone);
  }
  std::vector<int> wrong(processes, 0);
  machine.run([&](int64_t rank) {
    const State<T> begin;
    const HostAdam<T> adam(machine.host(rank), kSizes, 2);
    for (int64_t step = 0; step < 3; ++step) {
      const Arrays<T> gradient = normal<T>(10 * step + rank);
      std::vector<AdamArrays<const T>> arrays;
      for (size_t a = 0; a < kSizes.size(); ++a) {
        const auto k = static_cast<int64_t>(a);
        AdamArrays<const T> array{kSizes[a], begin.weight[a].data(), begin.first[a].data(),
                                  begin.second[a].data(), gradient[a].data()};
        if (step > 0)
          array = {kSizes[a], adam.weight(k), adam.first(k), adam.second(k), gradient[a].data()};
        if (step == 2) array.weight = after[1].weight[a].data();
        arrays.push_back(array);
      }
      const T extra[] = {T(rank), T(1)};
      T sums[2];
      adam.step(arrays, kStep, extra, sums, context);
      for (size_t a = 0; a < kSizes.size(); ++a) {
        const auto k = static_cast<int64_t>(a);
        wrong[rank] += !same(adam.weight(k), after[step].weight[a]);
        wrong[rank] += !same(adam.first(k), after[step].first[a]);
        wrong[rank] += !same(adam.second(k), after[step].second[a]);
      }
      wrong[rank] += sums[0] != T(processes * (processes - 1) / 2) || sums[1] != T(processes);
    }
  });
  for (const int number : wrong) CHECK(number == 0);
}

}  // namespace

TEST(sums_are_those_of_plain_loops) {
  for (const int64_t processes : {2, 3, 5}) {
    compare_sums<double>(processes, deeptf_test::serial());
    compare_sums<float>(processes, deeptf_test::threaded());
  }
}

TEST(steps_are_those_of_adam_alone) {
  for (const int64_t processes : {2, 3, 5}) {
    compare_steps<double>(processes, deeptf_test::serial());
    compare_steps<float>(processes, deeptf_test::threaded());
  }
}

TEST(a_process_that_sleeps_is_woken) {
  const Machine machine(2);
  machine.run([&](int64_t rank) {
    const HostSum<double> sum(machine.host(rank), {1});
    if (rank == 1) std::this_thread::sleep_for(std::chrono::milliseconds(120));
    const double own = static_cast<double>(rank + 1);
    double total = 0;
    sum.sum({&own}, {&total}, deeptf_test::serial());
    CHECK(total == 3);
  });
}

TEST(the_end_of_a_process_is_told) {
  Machine machine(2);
  const HostSum<double> sum(machine.host(0), {4});
  machine.end(1);
  std::vector<double> own(4), total(4);
  const auto call = [&] { sum.sum({own.data()}, {total.data()}, deeptf_test::serial()); };
  CHECK(deeptf_test::throws(call, "process 1 has ended"));
}

TEST(a_wait_is_reported_once_by_one_of_those_that_wait) {
  const Machine machine(4);
  const Stopped stopped;
  std::map<int64_t, std::vector<std::string>> told;
  std::mutex mutex;
  machine.run([&](int64_t rank) {
    Host host = machine.host(rank);
    host.processes[2] = stopped.number();
    host.patience = std::chrono::milliseconds(200);
    host.report = [&, rank](const std::string& message) {
      const std::lock_guard<std::mutex> lock(mutex);
      told[rank].push_back(message);
    };
    const HostSum<double> sum(host, {1});
    const auto enough = [&] {
      const std::lock_guard<std::mutex> lock(mutex);
      return told[0].size() == 2;  // after 0.2 s and 0.4 s
    };
    while (rank == 2 && !enough()) std::this_thread::yield();
    const double own = 1;
    double total = 0;
    sum.sum({&own}, {&total}, deeptf_test::serial());
    CHECK(total == 4);
  });
  CHECK(told.size() == 1);
  const std::string number = std::to_string(stopped.number());
  const std::string wanted = "the others have waited 0 s for worker 2 (process " + number +
                             "), which is stopped: `kill -CONT " + number +
                             "` lets it go on, `kill -KILL " + number + "` ends the run";
  for (const std::string& message : told[0]) CHECK(message == wanted);
}

TEST(processes_map_one_file) {
  constexpr const char* kFile = "node_test_memory";
  constexpr int64_t kPage = 65536;  // a multiple of every system's
  std::fclose(std::fopen(kFile, "w"));
  CHECK(truncate(kFile, 2 * kPage) == 0);
  const auto first = map_shared({kFile, 0, kPage}, 10), again = map_shared({kFile, 0, kPage}, 10);
  const auto second = map_shared({kFile, kPage, kPage}, kPage);
  first.get()[9] = 'x';
  CHECK(again.get()[9] == 'x' && second.get()[9] == 0 && first.get() != again.get());
  const auto map = [&](int64_t offset, int64_t room, size_t bytes) {
    return [=] { map_shared({kFile, offset, room}, bytes); };
  };
  CHECK(deeptf_test::throws(map(0, 5, 6), "must have room for 6 bytes, got 5"));
  CHECK(deeptf_test::throws(map(kPage, 2 * kPage, kPage + 1), "bytes, got 65536"));
  CHECK(deeptf_test::throws(map(1, 5, 5), "must be mapped, but that failed: Invalid argument"));
  std::remove(kFile);
  CHECK(deeptf_test::throws(map(0, 5, 5), "must be mapped, but that failed: No such file"));
}
