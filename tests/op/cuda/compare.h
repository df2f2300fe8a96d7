// What comparing results of the device with those of the CPU takes.
#pragma once

#include <cmath>
#include <vector>

#include "check.h"
#include "device_array.h"

namespace deeptf_test {

// Relative errors that are allowed.
template <class T>
constexpr double kTolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;

template <class T>
std::vector<T> random(size_t count, unsigned seed) {
  const std::vector<double> values = normal(count, seed);
  return {values.begin(), values.end()};
}

// Of two arrays, in relation to the second one.
template <class T>
double distance(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return HUGE_VAL;
  double difference = 0, norm = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    const double d = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    difference += d * d;
    norm += static_cast<double>(b[k]) * static_cast<double>(b[k]);
  }
  return norm > 0 ? std::sqrt(difference / norm) : difference;
}

// The results of run() on the device; in other orders of threads and blocks they have the same
// bits. On a GPU, which has orders of its own, it runs twice.
template <class Run>
auto same_in_all_orders(const Run& run) {
  auto first = run();
#ifdef __CUDACC__
  CHECK(run() == first);
#else
  using deeptf::emulation::Order;
  for (const Order order : {Order::kDown, Order::kMixed}) {
    deeptf::emulation::set_order(order);
    CHECK(run() == first);
  }
  deeptf::emulation::set_order(Order::kUp);
#endif
  return first;
}

}  // namespace deeptf_test
