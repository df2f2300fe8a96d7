// The contraction of the descriptor and its derivatives on the device against the CPU.
#include "compare.h"
#include "core/cuda/moment_product.h"

using deeptf::MomentShape;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

template <class T>
void check(const MomentShape& shape) {
  const int64_t size = shape.num_atoms * shape.columns * shape.width;
  const int64_t products = shape.num_atoms * shape.width * shape.axis;
  const auto moments = deeptf_test::random<T>(size, 1), other = deeptf_test::random<T>(size, 2);
  const auto upper = deeptf_test::random<T>(products, 3);
  std::vector<T> product(products), grad(size), polar(products);
  const deeptf::Context context = deeptf_test::serial();
  deeptf::moment_product(shape, context, moments.data(), product.data());
  deeptf::moment_product_grad(shape, context, moments.data(), upper.data(), grad.data());
  deeptf::moment_product_polar(shape, context, moments.data(), other.data(), polar.data());

  const DeviceArray<T> t(moments), x(other), y(upper);
  const auto run = [&] {
    const DeviceArray<T> to_product(products), to_grad(size), to_polar(products);
    const deeptf::Cuda cuda;
    deeptf::moment_product(shape, cuda, t.data(), to_product.data());
    deeptf::moment_product_grad(shape, cuda, t.data(), y.data(), to_grad.data());
    deeptf::moment_product_polar(shape, cuda, t.data(), x.data(), to_polar.data());
    return std::vector<std::vector<T>>{to_product.host(), to_grad.host(), to_polar.host()};
  };
  const auto got = deeptf_test::same_in_all_orders(run);
  CHECK(distance(got[0], product) < kTolerance<T>);
  CHECK(distance(got[1], grad) < kTolerance<T>);
  CHECK(distance(got[2], polar) < kTolerance<T>);
}

}  // namespace

TEST(products_are_those_of_the_cpu) {
  check<double>({3, 4, 25, 4});
  check<float>({2, 4, 70, 33});
  check<double>({2, 1, 33, 33});
  check<float>({2, 6, 5, 1});
}
