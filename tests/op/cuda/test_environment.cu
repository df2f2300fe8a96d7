// Environment rows, their gradient and its transpose against the CPU's; what the CPU refuses is not
// a number.
#include <tuple>

#include "compare.h"
#include "core/cuda/environment.h"
#include "device_array.h"

using deeptf_test::DeviceArray;
using deeptf_test::distance;

namespace {

constexpr int64_t kPairs = 700, kAtoms = 40, kTypes = 3;

struct Case {
  int64_t columns;
  std::vector<double> displacement = deeptf_test::normal(kPairs * 3, 1), mean, stddev;
  std::vector<double> row_grad, upstream = deeptf_test::normal(kPairs * 3, 4);
  std::vector<int32_t> centre, atom_type;

  explicit Case(int64_t columns) : columns(columns) {
    for (double& x : displacement) x *= 2.5;
    mean = deeptf_test::normal(kTypes * columns, 2);
    for (const double x : deeptf_test::normal(kTypes * columns, 3)) {
      stddev.push_back(0.1 + std::fabs(x));
    }
    row_grad = deeptf_test::normal(kPairs * columns, 5);
    for (int64_t k = 0; k < kPairs; ++k) centre.push_back(static_cast<int32_t>(k * 7 % kAtoms));
    for (int64_t k = 0; k < kAtoms; ++k) atom_type.push_back(static_cast<int32_t>(k * k % kTypes));
  }
};

using Arrays = std::tuple<std::vector<double>, std::vector<double>, std::vector<double>>;

// Rows, gradient and its transpose.
Arrays of_cpu(const Case& c) {
  const deeptf::EnvironmentInputs in{kPairs,
                                     kAtoms,
                                     kTypes,
                                     c.columns,
                                     c.displacement.data(),
                                     c.centre.data(),
                                     c.atom_type.data(),
                                     c.mean.data(),
                                     c.stddev.data(),
                                     0.5,
                                     6.0};
  std::vector<double> rows(kPairs * c.columns), grad(kPairs * 3), back(kPairs * c.columns);
  environment(in, deeptf_test::serial(), rows.data());
  environment_grad(in, deeptf_test::serial(), c.row_grad.data(), grad.data());
  environment_grad_grad(in, deeptf_test::serial(), c.upstream.data(), back.data());
  return {rows, grad, back};
}

Arrays of_device(const Case& c) {
  const DeviceArray<double> displacement(c.displacement), mean(c.mean), stddev(c.stddev),
      row_grad(c.row_grad), upstream(c.upstream), rows(kPairs * c.columns), grad(kPairs * 3),
      back(kPairs * c.columns);
  const DeviceArray<int32_t> centre(c.centre), atom_type(c.atom_type);
  const deeptf::EnvironmentInputs in{kPairs,
                                     kAtoms,
                                     kTypes,
                                     c.columns,
                                     displacement.data(),
                                     centre.data(),
                                     atom_type.data(),
                                     mean.data(),
                                     stddev.data(),
                                     0.5,
                                     6.0};
  const deeptf::Cuda cuda{};
  environment(in, cuda, rows.data());
  environment_grad(in, cuda, row_grad.data(), grad.data());
  environment_grad_grad(in, cuda, upstream.data(), back.data());
  return {rows.host(), grad.host(), back.host()};
}

TEST(rows_and_derivatives_are_those_of_the_cpu) {
  for (const int64_t columns : {1, 4}) {
    const Case c(columns);
    const auto [rows, grad, back] = deeptf_test::same_in_all_orders([&] { return of_device(c); });
    const auto [cpu_rows, cpu_grad, cpu_back] = of_cpu(c);
    CHECK(distance(rows, cpu_rows) < 1e-13);
    CHECK(distance(grad, cpu_grad) < 1e-12);
    CHECK(distance(back, cpu_back) < 1e-12);
  }
}

// Whether those of `values`, so many a pair, that belong to the pairs are not numbers, and no
// other.
bool only_these_are_nan(const std::vector<double>& values, const std::vector<bool>& pairs) {
  for (size_t k = 0; k < values.size(); ++k) {
    if (std::isnan(values[k]) != pairs[k * kPairs / values.size()]) return false;
  }
  return true;
}

TEST(what_cannot_be_used_gives_nan) {
  for (const int64_t columns : {1, 4}) {
    Case c(columns);
    c.centre[5] = kAtoms;
    c.centre[6] = -1;
    c.atom_type[9] = -1;
    c.atom_type[10] = kTypes;
    c.stddev[columns] = 0;  // of type 1
    std::vector<bool> wrong;
    for (int64_t k = 0; k < kPairs; ++k) {
      const bool known = k != 5 && k != 6 && c.centre[k] != 9 && c.centre[k] != 10;
      wrong.push_back(!known || c.atom_type[c.centre[k]] == 1);
    }
    const auto [rows, grad, back] = of_device(c);
    CHECK(only_these_are_nan(rows, wrong));
    CHECK(only_these_are_nan(grad, wrong));
    CHECK(only_these_are_nan(back, wrong));
  }
}

TEST(rows_of_displacements_without_a_direction_are_nan) {
  for (const double value : {0.0, 5e-7, double(NAN), double(INFINITY)}) {
    Case c(4);
    for (int k = 0; k < 3; ++k) c.displacement[3 * 8 + k] = k == 1 ? value : 0.0;
    std::vector<bool> wrong(kPairs, false);
    wrong[8] = true;
    CHECK(only_these_are_nan(std::get<0>(of_device(c)), wrong));
  }
}

}  // namespace
