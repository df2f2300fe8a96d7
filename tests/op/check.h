// The whole test framework: TEST(name) { CHECK(...); } and a main that runs every test of the file,
// or those that it is given by name.
// Also random numbers and two Context: one serial, one on real threads in many small pieces.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/base/context.h"
#include "core/base/error.h"

namespace deeptf_test {

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Register {
  Register(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

#define TEST(NAME)                                                 \
  static void NAME();                                              \
  static const deeptf_test::Register register_##NAME(#NAME, NAME); \
  static void NAME()

#define CHECK(CONDITION)                                                  \
  do {                                                                    \
    if (!(CONDITION)) {                                                   \
      std::printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #CONDITION); \
      ++deeptf_test::failures();                                          \
    }                                                                     \
  } while (false)

inline bool close(double a, double b, double tolerance) {
  return std::fabs(a - b) <= tolerance * (1 + std::fabs(b));
}

// True when body throws deeptf::Error and the message contains `part`.
inline bool throws(const std::function<void()>& body, const std::string& part) {
  try {
    body();
  } catch (const deeptf::Error& error) {
    if (std::string(error.what()).find(part) != std::string::npos) return true;
    std::printf("got: %s\n", error.what());
  }
  return false;
}

// Memory for results that must all be written: not a number wherever they are not.
inline std::vector<double> unwritten(size_t count) {
  return std::vector<double>(count, std::nan(""));
}

template <class T>
double inner(const std::vector<T>& a, const std::vector<T>& b) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a[k]) * b[k];
  return sum;
}

// 0, 1 ... count
inline std::vector<int32_t> counted(int32_t count) {
  std::vector<int32_t> values(count + 1);
  for (int32_t k = 0; k <= count; ++k) values[k] = k;
  return values;
}

inline std::vector<double> normal(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> draw;
  std::vector<double> values(count);
  for (double& value : values) value = draw(engine);
  return values;
}

inline deeptf::Context serial() { return {}; }

inline deeptf::Context threaded() {
  deeptf::Context context;
  context.threads = 3;
  context.split = [](int64_t count, int64_t, const deeptf::Range& range) {
    std::vector<std::thread> threads;
    for (int64_t part = 0; part < 3; ++part) {
      threads.emplace_back([=, &range] {
        for (int64_t k = part; k < count; k += 3) range(k, k + 1);
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  return context;
}

}  // namespace deeptf_test

int main(int argc, char** argv) {
  const std::vector<std::string> names(argv + 1, argv + argc);
  for (const deeptf_test::Test& test : deeptf_test::tests()) {
    if (!names.empty() && std::find(names.begin(), names.end(), test.name) == names.end()) continue;
    const int before = deeptf_test::failures();
    test.body();
    std::printf("%s %s\n", deeptf_test::failures() == before ? "ok    " : "FAILED", test.name);
  }
  return deeptf_test::failures() == 0 ? 0 : 1;
}
