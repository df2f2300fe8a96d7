// Time of the three functions of op/core/moments/neighbor_sum.h on one thread, in ns a pair and
// GFLOP/s.
//
//   g++ -std=c++17 -O3 -march=native -Iop tests/benchmarks/neighbor_sum.cc
//       op/core/moments/neighbor_sum.cc op/core/base/arena.cc
//       -o /tmp/neighbor_sum && /tmp/neighbor_sum
// 4 atoms stay in the cache; 192 atoms of float64 (14 MB of values) measure the memory as well.
#include "core/moments/neighbor_sum.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

namespace {

constexpr int64_t kNeighbors = 90, kColumns = 4;

double best_of(int repeats, const std::function<void()>& body) {
  double best = 1e9;
  for (int k = 0; k < repeats; ++k) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    best = std::min(best, time.count());
  }
  return best;
}

template <class T>
void measure(const char* type, int64_t atoms, int64_t width) {
  const std::vector<int32_t> count(atoms, kNeighbors);
  const int64_t pairs = kNeighbors * atoms;
  const deeptf::Runs runs{atoms, pairs, kColumns, width, count.data()};
  const deeptf::Context one_thread;
  std::vector<T> weight(pairs * kColumns, 1), value(pairs * width, 1);
  std::vector<T> grad(atoms * kColumns * width, 1), sum(grad);
  std::vector<T> weight_grad(weight), value_grad(value);
  const double times[3] = {
      best_of(60, [&] { neighbor_sum(runs, one_thread, weight.data(), value.data(), sum.data()); }),
      best_of(60,
              [&] {
                neighbor_sum_value_grad(runs, one_thread, weight.data(), grad.data(),
                                        value_grad.data());
              }),
      best_of(60, [&] {
        neighbor_sum_weight_grad(runs, one_thread, value.data(), grad.data(), weight_grad.data());
      })};
  std::printf("%-8s %4ld atoms  M %3ld ", type, static_cast<long>(atoms), static_cast<long>(width));
  for (const double time : times) {
    const double gflop = 2e-9 * kColumns * width * pairs;
    std::printf("  %6.1f ns %6.1f GFLOP/s", time / pairs * 1e9, gflop / time);
  }
  std::printf("\n");
}

}  // namespace

int main() {
  std::printf("sum, value_grad, weight_grad\n");
  for (const int64_t atoms : {4, 192}) {
    for (const int64_t width : {50, 96, 100}) {
      measure<double>("float64", atoms, width);
      measure<float>("float32", atoms, width);
    }
  }
}
