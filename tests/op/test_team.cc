// Loops on several threads: every unit once, from several callers at once, after a rest, and with
// errors.
#include <atomic>
#include <chrono>

#include "check.h"
#include "core/team.h"

using deeptf::Error;
using deeptf::ParallelFor;
using deeptf::team_of;

namespace {

constexpr int64_t kLong = 1000000;  // cycles: always worth several threads

bool covers_all(const ParallelFor& parallel, int64_t count) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  parallel(count, kLong, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) ++visits[static_cast<size_t>(k)];
  });
  for (const auto& number : visits) {
    if (number != 1) return false;
  }
  return true;
}

}  // namespace

TEST(every_unit_once) {
  for (const int threads : {1, 2, 3, 7}) {
    for (const int64_t count : {0, 1, 2, 5, 29, 1000}) CHECK(covers_all(team_of(threads), count));
  }
}

TEST(small_loops_stay_on_the_calling_thread) {
  const auto caller = std::this_thread::get_id();
  team_of(4)(100, 1, [&](int64_t begin, int64_t end) {
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
    CHECK(deeptf_test::throws([&] { team_of(3)(40, kLong, fail); }, "unit "));
    CHECK(covers_all(team_of(3), 40));
  }
}
