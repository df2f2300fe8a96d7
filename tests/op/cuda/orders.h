// What must not depend on the order in which threads and blocks run.
#pragma once

#include "check.h"
#include "core/cuda/device.h"

namespace deeptf_test {

// What run() gives, a vector or a tuple of them; checks that it gives the same bits again, under
// emulation with threads and blocks in reverse and at random.
template <class Run>
auto in_any_order(const Run& run) {
  const auto first = run();
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

template <class T>
bool all_close(const std::vector<T>& got, const std::vector<T>& wanted, double tolerance) {
  for (size_t k = 0; k < got.size(); ++k) {
    if (!close(got[k], wanted[k], tolerance)) return false;
  }
  return got.size() == wanted.size();
}

}  // namespace deeptf_test
