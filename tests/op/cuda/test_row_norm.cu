// Normalised rows and their derivatives on the device against the CPU.
#include "compare.h"
#include "core/cuda/row_norm.h"

using deeptf::NormRows;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

template <class T>
void check(int64_t rows, int64_t width) {
  const T epsilon = T(1e-3);
  const auto x = deeptf_test::random<T>(rows * width, 1), u = deeptf_test::random<T>(x.size(), 2),
             v = deeptf_test::random<T>(x.size(), 3);
  std::vector<T> y(x.size()), grad(x.size()), second(x.size());
  const deeptf::Context context = deeptf_test::serial();
  const NormRows<T> in{rows, width, epsilon, x.data()};
  deeptf::row_norm(in, context, y.data());
  deeptf::row_norm_grad(in, context, u.data(), grad.data());
  deeptf::row_norm_grad_grad(in, context, u.data(), v.data(), second.data());

  const DeviceArray<T> to_x(x), to_u(u), to_v(v);
  const NormRows<T> on{rows, width, epsilon, to_x.data()};
  const auto run = [&] {
    const deeptf::Cuda cuda;
    const DeviceArray<T> to_y(x.size()), to_grad(x.size()), to_second(x.size());
    deeptf::row_norm(on, cuda, to_y.data());
    deeptf::row_norm_grad(on, cuda, to_u.data(), to_grad.data());
    deeptf::row_norm_grad_grad(on, cuda, to_u.data(), to_v.data(), to_second.data());
    return std::vector<std::vector<T>>{to_y.host(), to_grad.host(), to_second.host()};
  };
  const auto got = deeptf_test::same_in_all_orders(run);
  CHECK(distance(got[0], y) < kTolerance<T>);
  CHECK(distance(got[1], grad) < kTolerance<T>);
  CHECK(distance(got[2], second) < kTolerance<T>);
}

}  // namespace

TEST(rows_are_those_of_the_cpu) {
  for (const int64_t width : {1, 31, 32, 70}) {
    check<double>(5, width);
    check<float>(3, width);
  }
  check<double>(0, 8);
}
