// A step of Adam on the device against the CPU, for more arrays than one launch takes.
#include "compare.h"
#include "core/cuda/adam.h"

using deeptf::AdamArrays;
using deeptf_test::DeviceArray;

namespace {

template <class T>
void check() {
  constexpr int kArrays = 60;
  const deeptf::AdamStep step{0.01, 0.9, 0.99, 1e-8};
  std::vector<std::vector<T>> host;
  std::vector<DeviceArray<T>> on;
  for (int k = 0; k < 4 * kArrays; ++k) {
    host.push_back(deeptf_test::random<T>(k / 4 % 7 * 40, static_cast<unsigned>(k)));
    for (T& value : host.back()) value = k % 4 == 2 ? std::abs(value) : value;  // v
    on.emplace_back(host.back());
  }
  const auto arrays = [&](auto& at) {
    std::vector<AdamArrays<T>> all;
    for (int k = 0; k < 4 * kArrays; k += 4) {
      all.push_back({static_cast<int64_t>(host[k].size()), at[k].data(), at[k + 1].data(),
                     at[k + 2].data(), at[k + 3].data()});
    }
    return all;
  };
  deeptf::adam(arrays(on), step, deeptf::Cuda{});
  deeptf::adam(arrays(host), step, deeptf_test::serial());
  for (int k = 0; k < 4 * kArrays; ++k) {
    CHECK(deeptf_test::distance(on[k].host(), host[k]) < deeptf_test::kTolerance<T>);
  }
}

}  // namespace

TEST(a_step_is_that_of_the_cpu) {
  check<double>();
  check<float>();
}
