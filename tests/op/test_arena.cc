// Memory of a thread: pieces lie where they were and are met again, whatever sizes come; after an
// exception, in a fork, and at the end of a thread.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <new>
#include <optional>

#include "check.h"
#include "core/base/scratch.h"

using deeptf::Arena;
using deeptf::Scratch;

namespace {

bool is_aligned(const void* data) {
  return reinterpret_cast<uintptr_t>(data) % Arena::kAlignment == 0;
}

bool is_empty(const Arena& arena) { return arena.mark().taken == 0; }

// Takes so many pieces of so many bytes at once.
void take(int64_t bytes, int pieces) {
  const Scratch<char> piece(bytes, 'a');
  if (pieces > 1) take(bytes, pieces - 1);
}

// Status with which a fork ends that runs body.
template <class Body>
int status_of_fork(const Body& body) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST(pieces_do_not_overlap_and_stay_where_they_are) {
  Scratch<double> first(1000, 1.5);
  const double* place = first.data();
  for (const int64_t count : {0, 1, 7, 8, 1000, 300000}) {  // the last one needs another block
    Scratch<double> second(count, 2.5);
    Scratch<float> third(count, 3.5f);
    CHECK(is_aligned(second.data()) && is_aligned(third.data()) && second.size() == count);
    for (const double value : second) CHECK(value == 2.5);
  }
  CHECK(first.data() == place);
  for (const double value : first) CHECK(value == 1.5);
}

TEST(what_was_given_back_is_met_again) {
  const void* place = Scratch<int32_t>(100).data();
  CHECK(Scratch<char>(3).data() == place);
  CHECK(is_empty(Arena::of_this_thread()));
}

TEST(the_same_pieces_need_no_more_memory) {
  Arena& arena = Arena::of_this_thread();
  take(3000000, 4);
  const size_t bytes = arena.bytes();
  for (int k = 0; k < 3; ++k) take(3000000, 4);
  take(100, 4);
  CHECK(arena.bytes() == bytes);
}

TEST(rising_sizes_leave_no_blocks_behind) {
  std::thread([] {
    for (int64_t bytes = 2000000; bytes < 4000000; bytes += 100000) take(bytes, 3);
    CHECK(Arena::of_this_thread().bytes() < 2 * 3 * size_t{4000000});
  }).join();
}

TEST(an_exception_gives_back) {
  const Scratch<int> outer(10, 5);
  const size_t before = Arena::of_this_thread().mark().taken;
  try {
    const Scratch<int> inner(10), huge(INT64_MAX / 2);
    CHECK(false);
  } catch (const std::bad_alloc&) {
  }
  CHECK(Arena::of_this_thread().mark().taken == before && outer[9] == 5);
}

TEST(a_function_may_return_one) {
  const auto made = [](int64_t count) {
    Scratch<int> numbers(count, 7);
    const Scratch<int> other(count, 8);
    return numbers;
  };
  const Scratch<int> first = made(5), second = made(6);
  CHECK(first[4] == 7 && second[5] == 7 && first.data() != second.data());
}

TEST(each_thread_has_its_own) {
  const Scratch<int> mine(1000, 1);
  std::vector<std::thread> threads;
  for (int k = 2; k < 6; ++k) {
    threads.emplace_back([k, own = &Arena::of_this_thread()] {
      CHECK(&Arena::of_this_thread() != own && is_empty(Arena::of_this_thread()));
      for (int times = 0; times < 100; ++times) {
        const Scratch<int> numbers(1000 * times, k);
        for (const int number : numbers) CHECK(number == k);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int number : mine) CHECK(number == 1);
}

TEST(a_fork_goes_on) {
  const Scratch<int> before(1000, 3);
  const int status = status_of_fork([&] {
    const Scratch<int> after(1000000, 4);
    _exit(before[999] + after[0]);
  });
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(another_order_ends_the_process) {
  const int status = status_of_fork([] {
    std::fclose(stderr);
    std::optional<Scratch<int>> first(10);
    const Scratch<int> second(10);
    first.reset();
  });
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
