// Loops on several threads: every unit once, from several callers at once, after a rest, with
// errors, and where the system gives no more threads.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>

#include "check.h"
#include "core/base/team.h"

using deeptf::Context;
using deeptf::Error;
using deeptf::team_of;

namespace {

constexpr int64_t kLong = 1000000;  // cycles: always worth several threads

bool covers_all(const Context& context, int64_t count) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  context.parallel(count, kLong, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) ++visits[static_cast<size_t>(k)];
  });
  for (const auto& number : visits) {
    if (number != 1) return false;
  }
  return true;
}

// New threads get a stack of so many bytes; returns that of before.
size_t set_stack(size_t bytes) {
  pthread_attr_t attributes;
  size_t before = 0;
  pthread_getattr_default_np(&attributes);
  pthread_attr_getstacksize(&attributes, &before);
  pthread_attr_setstacksize(&attributes, bytes);
  pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
  return before;
}

auto threads_of_this_process() {
  using Folder = std::filesystem::directory_iterator;
  return std::distance(Folder("/proc/self/task"), Folder());
}

}  // namespace

TEST(every_unit_once) {
  for (const int threads : {1, 2, 3, 7}) {
    for (const int64_t count : {0, 1, 2, 5, 29, 1000}) CHECK(covers_all(team_of(threads), count));
  }
}

TEST(small_loops_stay_on_the_calling_thread) {
  const auto caller = std::this_thread::get_id();
  team_of(4).parallel(100, 1, [&](int64_t begin, int64_t end) {
    CHECK(std::this_thread::get_id() == caller && begin == 0 && end == 100);
  });
}

TEST(several_callers_at_once) {
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int k = 0; k < 300; ++k) right += covers_all(team_of(3), 50);
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 900);
}

TEST(helpers_wake_up_after_a_rest) {
  for (int k = 0; k < 5; ++k) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // longer than they stay awake
    CHECK(covers_all(team_of(3), 100));
  }
}

TEST(an_error_reaches_the_caller) {
  for (int k = 0; k < 50; ++k) {
    const auto fail = [&](int64_t begin, int64_t) {
      if (begin > 0) throw Error("unit " + std::to_string(begin));
    };
    CHECK(deeptf_test::throws([&] { team_of(3).parallel(40, kLong, fail); }, "unit "));
    CHECK(covers_all(team_of(3), 40));
  }
}

TEST(a_refused_thread_is_not_asked_for_again) {
  CHECK(covers_all(team_of(3), 40));
  const auto threads = threads_of_this_process();
  const size_t stack = set_stack(size_t{1} << 47);  // all addresses that there are
  CHECK(covers_all(team_of(20), 40));
  set_stack(stack);
  std::thread([] {}).join();  // there would be threads again
  CHECK(covers_all(team_of(20), 40));
  CHECK(threads_of_this_process() == threads);
}
