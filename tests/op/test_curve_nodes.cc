// Embedding nets at the nodes of their grids, and the gradients to the weights, against
// differences. Values are also compared in tests/ops/test_curve_nodes.py.
#include "check.h"
#include "core/curve/intervals.h"
#include "core/curve/nodes.h"
#include "core/curve/sum.h"

using deeptf_test::close;
using deeptf_test::inner;

namespace {

struct Net {
  std::vector<double> weights = deeptf_test::normal(4 + 4 + 4 * 4 + 4 + 4 + 4 * 8 + 8, 5);

  deeptf::EmbeddingNets<double> nets() const {
    const double* w = weights.data();
    return {deeptf::Activation::tanh,
            {{{1, 4, w, w + 4, nullptr},
              {4, 4, w + 8, w + 24, w + 28},
              {4, 8, w + 32, w + 64, nullptr}}},
            {1, segments, 0, row.data(), grid.data()},
            needed.data()};
  }
  std::vector<double> nodes() const {
    std::vector<double> table(needed.back() * 2 * 8);
    deeptf::embedding_nodes(nets(), deeptf_test::threaded(), table.data());
    return table;
  }

  std::vector<double> gradient(const std::vector<double>& upper) const {
    std::vector<double> grad(weights.size());
    double* g = grad.data();
    deeptf::embedding_nodes_grad(
        nets(), deeptf_test::threaded(), upper.data(),
        {{{g, g + 4, nullptr}, {g + 8, g + 24, g + 28}, {g + 32, g + 64, nullptr}}});
    return grad;
  }
  void leave_out(int32_t node) {
    for (size_t k = node + 1; k < needed.size(); ++k) --needed[k];
  }

  int64_t segments = 1;
  std::vector<int32_t> row{0, 70}, needed = deeptf_test::counted(70);
  std::vector<double> grid{-1.0, 0.03};
};

}  // namespace

TEST(slopes_of_nodes_are_derivatives) {
  Net net;
  const std::vector<double> table = net.nodes();
  constexpr double h = 1e-5;
  net.grid[0] += h;
  const std::vector<double> right = net.nodes();
  net.grid[0] -= 2 * h;
  const std::vector<double> left = net.nodes();
  for (int64_t node = 0; node < 70; ++node) {
    for (int64_t m = 0; m < 8; ++m) {
      const int64_t at = node * 16 + m;
      CHECK(close(table[at + 8], 0.03 * (right[at] - left[at]) / (2 * h), 1e-8));
    }
  }
}

TEST(gradients_of_nodes) {
  Net net;
  net.leave_out(10);
  net.leave_out(69);
  const std::vector<double> upper = deeptf_test::normal(68 * 16, 6);
  const std::vector<double> grad = net.gradient(upper);
  for (size_t k = 0; k < grad.size(); ++k) {
    constexpr double h = 1e-5;
    const double before = net.weights[k];
    net.weights[k] = before + h;
    const double right = inner(net.nodes(), upper);
    net.weights[k] = before - h;
    const double left = inner(net.nodes(), upper);
    net.weights[k] = before;
    CHECK(close(grad[k], (right - left) / (2 * h), 1e-7));
  }
}

TEST(some_nodes_are_rows_of_all) {
  Net net;
  const std::vector<double> all = net.nodes();
  for (const int32_t node : {3, 4, 66, 69}) net.leave_out(node);
  const std::vector<double> some = net.nodes();
  CHECK(some.size() == 66 * 16);
  for (int32_t node = 0; node < 70; ++node) {
    const int32_t place = net.needed[node];
    if (net.needed[node + 1] == place) continue;
    for (int64_t k = 0; k < 16; ++k) CHECK(some[place * 16 + k] == all[node * 16 + k]);
  }
}

// A node that two segments share is evaluated once, and its gradient is the sum of both.
TEST(segments_that_meet) {
  Net whole, cut;
  cut.segments = 2;
  cut.row = {0, 40, 71};
  cut.grid = {-1.0, 0.03, -1.0 + 39 * 0.03, 0.03};
  cut.needed = deeptf_test::counted(71);
  const std::vector<double> one = whole.nodes(), two = cut.nodes();
  for (int64_t k = 0; k < 71 * 16; ++k) {
    CHECK(close(two[k], one[k - (k < 40 * 16 ? 0 : 16)], 1e-12));
  }
  std::vector<double> upper = deeptf_test::normal(71 * 16, 7), sum(upper);
  for (int64_t k = 0; k < 16; ++k) sum[39 * 16 + k] += sum[40 * 16 + k];
  sum.erase(sum.begin() + 40 * 16, sum.begin() + 41 * 16);
  const std::vector<double> first = whole.gradient(sum), second = cut.gradient(upper);
  for (size_t k = 0; k < first.size(); ++k) CHECK(close(second[k], first[k], 1e-11));
}

// They are those of float64 nets with the same weights, rounded once, and so are their gradients.
TEST(float32_nets) {
  Net net;
  net.leave_out(10);
  const std::vector<float> weights(net.weights.begin(), net.weights.end());
  net.weights = {weights.begin(), weights.end()};
  const float* w = weights.data();
  const deeptf::EmbeddingNets<double> exact = net.nets();
  const deeptf::EmbeddingNets<float> nets{
      exact.activation,
      {{{1, 4, w, w + 4, nullptr}, {4, 4, w + 8, w + 24, w + 28}, {4, 8, w + 32, w + 64, nullptr}}},
      exact.segments,
      exact.needed_row};
  const auto context = deeptf_test::threaded();
  const int64_t size = 68 * 4 * deeptf::padded_width<float>(8);
  std::vector<float> found(size, -1), expected(size, -2);
  deeptf::embedding_nodes(nets, context, found.data());
  deeptf::round_intervals(69, 8, context, net.nodes().data(), expected.data());
  CHECK(found == expected);

  const std::vector<double> random = deeptf_test::normal(size, 8);
  const std::vector<float> upper(random.begin(), random.end());
  std::vector<double> nodes_grad(69 * 16);
  deeptf::round_intervals_grad(69, 8, context, upper.data(), nodes_grad.data());
  const std::vector<double> grad = net.gradient(nodes_grad);
  std::vector<float> grad32(weights.size(), -1);
  float* g = grad32.data();
  deeptf::embedding_nodes_grad(
      nets, context, upper.data(),
      {{{g, g + 4, nullptr}, {g + 8, g + 24, g + 28}, {g + 32, g + 64, nullptr}}});
  for (size_t k = 0; k < grad.size(); ++k) CHECK(grad32[k] == static_cast<float>(grad[k]));
}
