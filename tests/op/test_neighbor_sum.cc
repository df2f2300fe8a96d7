// NeighborSum and its derivatives against plain loops, for every block and lane size.
#include "check.h"
#include "core/moments/neighbor_sum.h"

using deeptf::check_runs;
using deeptf::neighbor_sum;
using deeptf::neighbor_sum_value_grad;
using deeptf::neighbor_sum_weight_grad;
using deeptf::Runs;
using deeptf_test::close;

namespace {

const std::vector<int32_t> kCount{3, 0, 1, 9, 4, 0};
constexpr int64_t kPairs = 17;

template <class T>
std::vector<T> random(size_t count, unsigned seed) {
  const std::vector<double> values = deeptf_test::normal(count, seed);
  return {values.begin(), values.end()};
}

template <class T>
void compare(int64_t columns, int64_t width, double tolerance) {
  const int64_t atoms = static_cast<int64_t>(kCount.size());
  const Runs runs{atoms, kPairs, columns, width, kCount.data()};
  const auto weight = random<T>(kPairs * columns, 1), value = random<T>(kPairs * width, 2);
  const auto grad = random<T>(atoms * columns * width, 3);
  std::vector<double> sum(grad.size()), value_grad(value.size()), weight_grad(weight.size());
  int64_t pair = 0;
  for (int64_t atom = 0; atom < atoms; ++atom) {
    for (int32_t k = 0; k < kCount[atom]; ++k, ++pair) {
      for (int64_t c = 0; c < columns; ++c) {
        for (int64_t m = 0; m < width; ++m) {
          const double w = weight[pair * columns + c], v = value[pair * width + m];
          const int64_t place = (atom * columns + c) * width + m;
          sum[place] += w * v;
          value_grad[pair * width + m] += w * grad[place];
          weight_grad[pair * columns + c] += v * grad[place];
        }
      }
    }
  }
  for (const auto& context : {deeptf_test::serial(), deeptf_test::threaded()}) {
    std::vector<T> got_sum(sum.size(), T(-9)), got_value(value.size()), got_weight(weight.size());
    neighbor_sum(runs, context, weight.data(), value.data(), got_sum.data());
    neighbor_sum_value_grad(runs, context, weight.data(), grad.data(), got_value.data());
    neighbor_sum_weight_grad(runs, context, value.data(), grad.data(), got_weight.data());
    for (size_t k = 0; k < sum.size(); ++k) CHECK(close(got_sum[k], sum[k], tolerance));
    for (size_t k = 0; k < value.size(); ++k) CHECK(close(got_value[k], value_grad[k], tolerance));
    for (size_t k = 0; k < weight.size(); ++k) {
      CHECK(close(got_weight[k], weight_grad[k], tolerance * width));
    }
  }
}

}  // namespace

TEST(same_as_plain_loops) {
  for (const int64_t columns : {1, 2, 4, 5}) {
    for (int64_t width = 1; width < 70; ++width) {
      compare<double>(columns, width, 1e-13);
      compare<float>(columns, width, 1e-5);
    }
    compare<double>(columns, 100, 1e-13);
    compare<float>(columns, 211, 1e-5);
  }
}

TEST(empty_input) {
  const Runs runs{0, 0, 4, 16, nullptr};
  check_runs(runs);
  neighbor_sum<double>(runs, deeptf_test::threaded(), nullptr, nullptr, nullptr);
  neighbor_sum_value_grad<double>(runs, deeptf_test::threaded(), nullptr, nullptr, nullptr);
  neighbor_sum_weight_grad<double>(runs, deeptf_test::threaded(), nullptr, nullptr, nullptr);
}

TEST(wrong_counts_are_named) {
  std::vector<int32_t> count{2, -1, 3};
  CHECK(deeptf_test::throws([&] { check_runs({3, 4, 4, 8, count.data()}); }, "got -1 at atom 1"));
  count[1] = 1;
  CHECK(deeptf_test::throws([&] { check_runs({3, 4, 4, 8, count.data()}); }, "pairs 4, got 6"));
}
