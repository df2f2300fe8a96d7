// Adam against plain loops: arrays of all sizes, on one thread and on several.
#include "check.h"
#include "train/adam.h"

using deeptf::AdamArrays;
using deeptf::AdamStep;

namespace {

constexpr AdamStep kStep{1e-2, 0.9, 0.99, 1e-8};

template <class T>
struct Arrays {
  explicit Arrays(size_t size) {
    for (unsigned k = 0; k < 4; ++k) {
      for (const double x : deeptf_test::normal(size, k))
        numbers[k].push_back(T(k == 2 ? x * x : x));
    }
  }

  AdamArrays<T> view() {
    return {static_cast<int64_t>(numbers[0].size()), numbers[0].data(), numbers[1].data(),
            numbers[2].data(), numbers[3].data()};
  }

  std::vector<T> numbers[4];  // w, m, v, g
};

template <class T>
void compare(const deeptf::Context& context, double tolerance) {
  const std::vector<size_t> sizes{0, 1, 7, 4096, 4097, 20000};
  std::vector<Arrays<T>> arrays(sizes.begin(), sizes.end());
  const std::vector<Arrays<T>> before = arrays;
  std::vector<AdamArrays<T>> views;
  for (auto& array : arrays) views.push_back(array.view());
  deeptf::adam(views, kStep, context);
  for (size_t a = 0; a < arrays.size(); ++a) {
    const auto& [w, m, v, g] = before[a].numbers;
    for (size_t k = 0; k < sizes[a]; ++k) {
      const double first = kStep.beta1 * m[k] + (1 - kStep.beta1) * g[k];
      const double second = kStep.beta2 * v[k] + (1 - kStep.beta2) * g[k] * g[k];
      const double weight = w[k] - kStep.rate * first / (std::sqrt(second) + kStep.epsilon);
      CHECK(deeptf_test::close(arrays[a].numbers[0][k], weight, tolerance));
      CHECK(deeptf_test::close(arrays[a].numbers[1][k], first, tolerance));
      CHECK(deeptf_test::close(arrays[a].numbers[2][k], second, tolerance));
      CHECK(arrays[a].numbers[3][k] == g[k]);
    }
  }
}

}  // namespace

TEST(same_as_plain_loops) {
  for (const auto& context : {deeptf_test::serial(), deeptf_test::threaded()}) {
    compare<double>(context, 1e-14);
    compare<float>(context, 1e-6);
  }
}

TEST(nothing_to_do) { deeptf::adam<double>({}, kStep, deeptf_test::threaded()); }
