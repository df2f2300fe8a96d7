// Fitting nets, their slopes and gradients on the device against the CPU.
#include "compare.h"
#include "core/cuda/blas_library.h"
#include "core/cuda/fitting_net.h"

using deeptf::Activation;
using deeptf::FittingInputs;
using deeptf::FittingShape;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

template <class T>
struct Case {
  Case(const FittingShape& shape, const std::vector<int32_t>& count) : shape(shape), count(count) {
    for (const int32_t number : count) atoms += number;
    unsigned seed = 1;
    for (size_t type = 0; type < count.size(); ++type) {
      for (const auto& sizes : shape.array_shapes()) {
        int64_t size = 1;
        for (const int64_t n : sizes) size *= n;
        arrays.push_back(deeptf_test::random<T>(size, seed++));
      }
    }
    x = deeptf_test::random<T>(atoms * shape.width, seed++);
    e = deeptf_test::random<T>(atoms, seed++);
    direction = deeptf_test::random<T>(atoms * shape.width, seed++);
  }

  template <class Arrays>
  FittingInputs<T> inputs(const T* descriptor, const Arrays& at) const {
    FittingInputs<T> in{shape,      atoms,        static_cast<int32_t>(count.size()),
                        descriptor, count.data(), {}};
    for (const auto& array : at) in.weights.push_back(array.data());
    return in;
  }
  std::vector<int64_t> sizes() const {  // of the outputs
    const int64_t all = atoms * shape.hidden_width(), width = atoms * shape.width;
    return {atoms, width, all, all, width};
  }

  FittingShape shape;
  std::vector<int32_t> count;
  int64_t atoms = 0;
  std::vector<std::vector<T>> arrays;
  std::vector<T> x, e, direction;
};

template <class T>
using Results = std::vector<std::vector<T>>;  // energy, slope, z, u, x gradient, weight gradients

template <class T>
Results<T> of_cpu(const Case<T>& c) {
  Results<T> out;
  for (const int64_t size : c.sizes()) out.emplace_back(size);
  std::vector<std::vector<T>> grads = c.arrays;
  const deeptf::Context context = deeptf_test::serial();
  const FittingInputs<T> in = c.inputs(c.x.data(), c.arrays);
  deeptf::fitting_net<T>(in, context, {out[0].data(), out[1].data(), out[2].data(), out[3].data()});
  deeptf::FittingGrads<T> to{out[4].data(), {}};
  for (auto& grad : grads) to.weights.push_back(grad.data());
  deeptf::fitting_net_grad<T>(in, context,
                              {c.e.data(), c.direction.data(), out[2].data(), out[3].data()}, to);
  out.insert(out.end(), grads.begin(), grads.end());
  return out;
}

template <class T>
Results<T> of_device(const Case<T>& c) {
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  std::vector<DeviceArray<T>> out, arrays, grads;
  for (const int64_t size : c.sizes()) out.emplace_back(size);
  deeptf::FittingGrads<T> to{out[4].data(), {}};
  for (const auto& array : c.arrays) {
    arrays.emplace_back(array);
    grads.emplace_back(static_cast<int64_t>(array.size()));
    to.weights.push_back(grads.back().data());
  }
  const DeviceArray<T> x(c.x), e(c.e), direction(c.direction);
  const FittingInputs<T> in = c.inputs(x.data(), arrays);
  deeptf::fitting_net<T>(in, cuda, {out[0].data(), out[1].data(), out[2].data(), out[3].data()});
  deeptf::fitting_net_grad<T>(in, cuda, {e.data(), direction.data(), out[2].data(), out[3].data()},
                              to);
  Results<T> all;
  for (const auto& array : out) all.push_back(array.host());
  for (const auto& grad : grads) all.push_back(grad.host());
  return all;
}

template <class T>
void compare(const Results<T>& got, const Case<T>& c) {
  const Results<T> wanted = of_cpu(c);
  CHECK(got.size() == wanted.size());
  for (size_t k = 0; k < got.size(); ++k) CHECK(distance(got[k], wanted[k]) < kTolerance<T>);
}

template <class T>
void check(const FittingShape& shape, const std::vector<int32_t>& count) {
  const Case<T> c(shape, count);
  compare(of_device(c), c);
}

}  // namespace

TEST(nets_are_those_of_the_cpu) {
  check<double>({40, {35, 35}, Activation::tanh, true}, {5});
  check<float>({9, {5, 5}, Activation::gelu, false}, {1, 2});
  check<double>({1, {1, 3, 1}, Activation::sigmoid, false}, {2, 1});
}

TEST(results_do_not_depend_on_the_order) {
  const Case<double> c({9, {6, 6, 4}, Activation::tanh, true}, {2, 0, 3});
  compare(deeptf_test::same_in_all_orders([&] { return of_device(c); }), c);
}

TEST(every_activation) {
  for (const char* name : {"linear", "tanh", "sigmoid", "softplus", "silu", "gelu", "gelu_tf",
                           "relu", "relu6", "silut:0.3"}) {
    const Activation kind = deeptf::activation_of(name);
    check<double>({2, {3}, kind, false}, {5});
    check<float>({2, {3}, kind, true}, {5});
  }
}

TEST(sums_over_many_atoms) { check<double>({1, {2}, Activation::linear, false}, {300}); }

TEST(without_atoms) { check<double>({3, {4, 4}, Activation::tanh, true}, {0}); }

TEST(a_library_that_is_missing_is_named) {
  CHECK(deeptf_test::throws([] { deeptf::open_blas({"libno_blas.so.1", "libno_blas.so.2"}); },
                            "got none of libno_blas.so.1, libno_blas.so.2"));
  void* other = deeptf::open_blas({"libno_blas.so.1", "libm.so.6"});
  CHECK(other != nullptr);
  CHECK(deeptf_test::throws([&] { deeptf::blas_functions(other); },
                            "must have the function cublasCreate_v2"));
}
