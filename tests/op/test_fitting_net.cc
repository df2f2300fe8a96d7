// FittingNet: slope and gradients against differences of energies, for every kind of layer. Values
// are compared with plain TensorFlow in tests/ops/test_fitting_net.py.
#include "check.h"
#include "core/nets/fitting_net.h"

using deeptf::FittingInputs;
using deeptf::FittingShape;
using deeptf_test::close;

namespace {

const std::vector<int32_t> kCount{2, 0, 3};
constexpr int64_t kAtoms = 5, kWidth = 9;

class Case {
 public:
  explicit Case(const FittingShape& shape)
      : shape_(shape), x(deeptf_test::normal(kAtoms * kWidth, 1)) {
    for (size_t type = 0; type < kCount.size(); ++type) {
      for (const auto& size : shape.array_shapes()) {
        int64_t count = 1;
        for (const int64_t n : size) count *= n;
        arrays.push_back(deeptf_test::normal(count, static_cast<unsigned>(arrays.size() + 2)));
      }
    }
  }

  FittingInputs<double> inputs() const {
    FittingInputs<double> in{shape_, kAtoms, 3, x.data(), kCount.data(), {}};
    for (const auto& array : arrays) in.weights.push_back(array.data());
    return in;
  }

  // Fills energy [n] and slope [n, width], and what the gradient needs.
  void run() {
    energy.resize(kAtoms);
    slope.resize(kAtoms * kWidth);
    z.resize(kAtoms * shape_.hidden_width());
    u.resize(z.size());
    deeptf::fitting_net<double>(inputs(), deeptf_test::threaded(),
                                {energy.data(), slope.data(), z.data(), u.data()});
  }

  // sum_i e_i E_i + c_i . dE_i/dx_i
  double loss(const std::vector<double>& e, const std::vector<double>& c) {
    run();
    double sum = 0;
    for (int64_t i = 0; i < kAtoms; ++i) sum += e[i] * energy[i];
    for (int64_t k = 0; k < kAtoms * kWidth; ++k) sum += c[k] * slope[k];
    return sum;
  }

 private:
  FittingShape shape_;

 public:
  std::vector<double> x;
  std::vector<std::vector<double>> arrays;
  std::vector<double> energy, slope, z, u;
};

template <class Function>
double difference(double* at, const Function& function) {
  constexpr double h = 1e-5;
  const double before = *at;
  *at = before + h;
  const double right = function();
  *at = before - h;
  const double left = function();
  *at = before;
  return (right - left) / (2 * h);
}

void check_net(const FittingShape& shape) {
  Case c(shape);
  const auto e = deeptf_test::normal(kAtoms, 50), direction = deeptf_test::normal(c.x.size(), 51);
  const std::vector<double> none(c.x.size(), 0.0);
  c.run();
  const std::vector<double> slope = c.slope;
  std::vector<double> x_grad(c.x.size());
  auto grads = c.arrays;
  deeptf::FittingGrads<double> out{x_grad.data(), {}};
  for (auto& grad : grads) out.weights.push_back(grad.data());
  deeptf::fitting_net_grad<double>(c.inputs(), deeptf_test::threaded(),
                                   {e.data(), direction.data(), c.z.data(), c.u.data()}, out);
  const std::vector<double> ones(kAtoms, 1.0);
  for (size_t k = 0; k < c.x.size(); ++k) {
    CHECK(close(slope[k], difference(&c.x[k], [&] { return c.loss(ones, none); }), 1e-7));
    CHECK(close(x_grad[k], difference(&c.x[k], [&] { return c.loss(e, direction); }), 1e-6));
  }
  for (size_t a = 0; a < grads.size(); ++a) {
    for (size_t k = 0; k < grads[a].size(); ++k) {
      const double expected = difference(&c.arrays[a][k], [&] { return c.loss(e, direction); });
      CHECK(close(grads[a][k], expected, 1e-6));
    }
  }
}

}  // namespace

TEST(slope_and_gradients) {
  check_net({kWidth, {6, 6, 4}, deeptf::Activation::tanh, true});
  check_net({kWidth, {5, 5}, deeptf::Activation::gelu, false});
  check_net({kWidth, {3}, deeptf::Activation::softplus, true});
  check_net({kWidth, {1, 3}, deeptf::Activation::sigmoid, false});
}

TEST(packed_weights_give_the_same_bits) {
  Case c({kWidth, {6, 6, 4}, deeptf::Activation::tanh, true});
  c.run();
  const std::vector<double> energy = c.energy, slope = c.slope;
  auto in = c.inputs();
  const deeptf::PackedNets<double> packed(in);
  in.packed = &packed;
  deeptf::fitting_net<double>(in, deeptf_test::serial(),
                              {c.energy.data(), c.slope.data(), c.z.data(), c.u.data()});
  CHECK(energy == c.energy);
  CHECK(slope == c.slope);
}

TEST(counts_that_do_not_fit_are_errors) {
  Case c({kWidth, {4}, deeptf::Activation::tanh, false});
  const auto refused = [&](const FittingInputs<double>& in, const char* name) {
    return deeptf_test::throws([&] { deeptf::check_fitting(in); }, name);
  };
  deeptf::check_fitting(c.inputs());
  for (const int64_t atoms : {4, 6}) {
    auto in = c.inputs();
    in.num_atoms = atoms;
    CHECK(refused(in, "`atom_count` must add up to the number of atoms"));
  }
  const std::vector<int32_t> negative{3, -1, 3};
  auto in = c.inputs();
  in.atom_count = negative.data();
  CHECK(refused(in, "`atom_count` must not be negative, got -1 for type 1"));
  in = c.inputs();
  in.weights.push_back(in.weights.back());
  CHECK(refused(in, "`weights` must have 12 arrays for 3 types, got 13"));
  in.weights.resize(11);
  CHECK(refused(in, "`weights` must have 12 arrays for 3 types, got 11"));
}
