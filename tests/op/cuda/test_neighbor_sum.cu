// Sums over neighbours and their derivatives on the device against the CPU.
#include "compare.h"
#include "core/cuda/neighbor_sum.h"

using deeptf::Runs;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

const std::vector<int32_t> kCount{3, 0, 1, 9, 4, 0};
constexpr int64_t kAtoms = 6, kPairs = 17;

template <class T>
void check(int64_t columns, int64_t width) {
  const auto weight = deeptf_test::random<T>(kPairs * columns, 1);
  const auto value = deeptf_test::random<T>(kPairs * width, 2);
  const auto grad = deeptf_test::random<T>(kAtoms * columns * width, 3);
  const Runs runs{kAtoms, kPairs, columns, width, kCount.data()};
  const deeptf::Context context = deeptf_test::serial();
  std::vector<T> sum(grad.size()), value_grad(value.size()), weight_grad(weight.size());
  deeptf::neighbor_sum(runs, context, weight.data(), value.data(), sum.data());
  deeptf::neighbor_sum_value_grad(runs, context, weight.data(), grad.data(), value_grad.data());
  deeptf::neighbor_sum_weight_grad(runs, context, value.data(), grad.data(), weight_grad.data());

  const DeviceArray<int32_t> count(kCount);
  const DeviceArray<T> w(weight), v(value), g(grad);
  const Runs on{kAtoms, kPairs, columns, width, count.data()};
  const auto run = [&] {
    deeptf_test::TestDevice device;
    const deeptf::Cuda cuda = device.cuda();
    const DeviceArray<T> to_sum(kAtoms * columns * width), to_value(kPairs * width),
        to_weight(kPairs * columns);
    deeptf::neighbor_sum(on, cuda, w.data(), v.data(), to_sum.data());
    deeptf::neighbor_sum_value_grad(on, cuda, w.data(), g.data(), to_value.data());
    deeptf::neighbor_sum_weight_grad(on, cuda, v.data(), g.data(), to_weight.data());
    return std::vector<std::vector<T>>{to_sum.host(), to_value.host(), to_weight.host()};
  };
  const auto got = deeptf_test::same_in_all_orders(run);
  CHECK(distance(got[0], sum) < kTolerance<T>);
  CHECK(distance(got[1], value_grad) < kTolerance<T>);
  CHECK(distance(got[2], weight_grad) < kTolerance<T>);
}

}  // namespace

TEST(sums_are_those_of_the_cpu) {
  for (const int64_t columns : {1, 4, 6}) {
    check<double>(columns, 7);
    check<float>(columns, 65);
  }
  check<double>(4, 40);
}

TEST(no_atoms) {
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  const Runs runs{0, 0, 4, 16, nullptr};
  deeptf::neighbor_sum<double>(runs, cuda, nullptr, nullptr, nullptr);
  deeptf::neighbor_sum_value_grad<double>(runs, cuda, nullptr, nullptr, nullptr);
  deeptf::neighbor_sum_weight_grad<double>(runs, cuda, nullptr, nullptr, nullptr);
}
