// Tables of embedding nets: sums against plain loops, the derivatives by what they must add up to,
// the nodes against differences. Values alone are also compared in tests/ops/test_curve.py.
#include <algorithm>
#include <utility>

#include "check.h"
#include "core/curve/hermite.h"
#include "core/curve/nodes.h"
#include "core/curve/sum.h"

using deeptf::CurvePairs;
using deeptf::CurveTable;
using deeptf::HermitePlace;
using deeptf_test::close;

namespace {

const std::vector<int32_t> kAtoms{2, 0, 3}, kCurve{0, 1, 1, 2, -1, 0, 1, 2, -1};
const std::vector<int32_t> kNodeRow{0, 4, 6, 11};
const std::vector<double> kGrid{-1.0, 0.7, 0.2, 0.5, -2.0, 1.1}, kSel{3, 2, 5},
    kEmpty{-0.4, 0.3, -0.2};
constexpr int64_t kTypes = 3, kNumAtoms = 5;

template <class T>
std::vector<T> random(size_t count, unsigned seed) {
  const std::vector<double> values = deeptf_test::normal(count, seed);
  return {values.begin(), values.end()};
}

template <class T>
struct Case {
  explicit Case(int64_t width) : width(width), padded(deeptf::padded_width<T>(width)) {
    for (int64_t k = 0; k < kNumAtoms * kTypes; ++k) {
      count.push_back(static_cast<int32_t>((k * 5 + 3) % 4));
      num_pairs += count.back();
    }
    rows = random<T>(num_pairs * 4, 1);
    direction = random<T>(num_pairs * 4, 2);
    upper = random<T>(kNumAtoms * 4 * width, 3);
    nodes = random<T>(kNodeRow.back() * 2 * padded, 4);
  }
  CurvePairs pairs() const {
    return {kNumAtoms,    num_pairs,     kTypes,      kAtoms.data(),
            count.data(), kCurve.data(), kSel.data(), kEmpty.data()};
  }
  CurveTable<T> table() const {
    return {3, 1, 0, width, kNodeRow.data(), kGrid.data(), nodes.data()};
  }
  double value(int32_t curve, double x, int64_t m) const {
    const int32_t first = kNodeRow[curve];
    const HermitePlace<double> place = deeptf::hermite_place<double>(
        x, kGrid[2 * curve], 1 / kGrid[2 * curve + 1], first, kNodeRow[curve + 1] - first);
    double sum = 0;
    for (int64_t i = 0; i < 4; ++i) {
      sum += place.value[i] * static_cast<double>(nodes[(2 * place.node + i) * padded + m]);
    }
    return sum;
  }

  int64_t width, padded, num_pairs = 0;
  std::vector<int32_t> count;
  std::vector<T> rows, direction, upper, nodes;
};

template <class T>
double inner(const std::vector<T>& a, const std::vector<T>& b) {
  double sum = 0;
  for (size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a[k]) * b[k];
  return sum;
}

template <class T>
std::vector<double> plain_sum(const Case<T>& c) {
  const int types[kNumAtoms] = {0, 0, 2, 2, 2};
  std::vector<double> sum(c.upper.size(), 0.0);
  int64_t pair = 0;
  for (int64_t t = 0; t < kTypes; ++t) {
    for (int64_t atom = 0; atom < kNumAtoms; ++atom) {
      const int32_t curve = kCurve[t * kTypes + types[atom]], number = c.count[atom * kTypes + t];
      const double x0 = kEmpty[types[atom]];
      for (int64_t m = 0; m < c.width && curve >= 0; ++m) {
        for (int64_t p = pair; p < pair + number; ++p) {
          const double g = c.value(curve, c.rows[4 * p], m);
          for (int w = 0; w < 4; ++w) sum[(atom * 4 + w) * c.width + m] += c.rows[4 * p + w] * g;
        }
        sum[atom * 4 * c.width + m] += (kSel[t] - number) * x0 * c.value(curve, x0, m);
      }
      pair += number;
    }
  }
  return sum;
}

template <class T>
void check_case(int64_t width, double tolerance) {
  const Case<T> c(width);
  const std::vector<double> expected = plain_sum(c);
  std::vector<std::vector<T>> first;
  for (const auto& context : {deeptf_test::serial(), deeptf_test::threaded()}) {
    std::vector<T> sum(expected.size()), tangent(expected.size()), rows_grad(c.rows.size());
    std::vector<T> table_grad(c.nodes.size()), tangent_grad(c.nodes.size());
    const auto pairs = c.pairs();
    const auto table = c.table();
    std::vector<int32_t> outside(kTypes * kTypes), closest(kTypes * kTypes);
    deeptf::embedding_sum(pairs, table, context, c.rows.data(), sum.data(),
                          {outside.data(), closest.data()});
    deeptf::embedding_sum_tangent(pairs, table, context, c.rows.data(), c.direction.data(),
                                  tangent.data());
    deeptf::embedding_sum_grad(pairs, table, context, c.rows.data(), c.upper.data(),
                               rows_grad.data());
    deeptf::embedding_table_grad(pairs, table, context, c.rows.data(), c.upper.data(),
                                 table_grad.data());
    deeptf::embedding_tangent_table_grad(pairs, table, context, c.rows.data(), c.direction.data(),
                                         c.upper.data(), tangent_grad.data());
    for (size_t k = 0; k < sum.size(); ++k) CHECK(close(sum[k], expected[k], tolerance));
    // Sums and tangents are linear in the nodes, the gradient to the rows is the tangent's adjoint.
    const double size = static_cast<double>(sum.size()) * tolerance;
    CHECK(close(inner(table_grad, c.nodes), inner(sum, c.upper), size));
    CHECK(close(inner(tangent_grad, c.nodes), inner(tangent, c.upper), size));
    CHECK(close(inner(rows_grad, c.direction), inner(tangent, c.upper), size));
    const std::vector<std::vector<T>> all{sum, tangent, rows_grad, table_grad, tangent_grad};
    if (first.empty()) first = all;
    CHECK(first == all);
  }
}

struct Net {
  std::vector<double> weights = deeptf_test::normal(4 + 4 + 4 * 4 + 4 + 4 + 4 * 8 + 8, 5);

  deeptf::EmbeddingNets<double> nets() const {
    const double* w = weights.data();
    return {deeptf::Activation::tanh,
            {{{1, 4, w, w + 4, nullptr},
              {4, 4, w + 8, w + 24, w + 28},
              {4, 8, w + 32, w + 64, nullptr}}},
            1,
            row.data(),
            grid.data()};
  }
  std::vector<double> nodes() const {
    std::vector<double> table(row.back() * 2 * 8);
    deeptf::embedding_nodes(nets(), deeptf_test::threaded(), table.data());
    return table;
  }

  std::vector<int32_t> row{0, 70};
  std::vector<double> grid{-1.0, 0.03};
};

}  // namespace

TEST(sums_and_derivatives) {
  for (const int64_t width : {1, 5, 8, 20, 33}) {
    check_case<double>(width, 1e-12);
    check_case<float>(width, 1e-4);
  }
}

TEST(counts_that_do_not_fit_are_errors) {
  Case<double> c(3);
  auto pairs = c.pairs();
  auto table = c.table();
  const auto check = [&] { deeptf::check_curves(pairs, table, kNodeRow.back()); };
  check();
  pairs.num_pairs += 1;
  CHECK(deeptf_test::throws(check, "must add up to 5 atoms"));
  pairs.num_pairs -= 1;
  const std::vector<int32_t> negative{6, -1, 0};
  pairs.atom_count = negative.data();
  CHECK(deeptf_test::throws(check, "`atom_count` must not be negative"));
  pairs.atom_count = kAtoms.data();
  table.near = 1;
  CHECK(deeptf_test::throws(check, "`near` must be from 0 to below the 1 segments"));
  table.near = 0;
  const std::vector<int32_t> far{0, INT32_MAX, 6, 11};
  table.node_row = far.data();
  CHECK(deeptf_test::throws(check, "for segment 1"));
}

// Whatever the rows hold, nothing outside the arrays is read or written: the sanitizers look.
TEST(rows_that_are_no_numbers) {
  for (const double value : std::vector<double>{NAN, INFINITY, -INFINITY, 1e308, -1e308}) {
    Case<double> c(8);
    std::fill(c.rows.begin(), c.rows.end(), value);
    std::vector<double> sum(c.upper.size()), rows(c.rows.size()), nodes(c.nodes.size());
    std::vector<int32_t> outside(kTypes * kTypes), closest(kTypes * kTypes);
    const auto context = deeptf_test::threaded();
    const auto run = [&] {
      deeptf::embedding_sum(c.pairs(), c.table(), context, c.rows.data(), sum.data(),
                            {outside.data(), closest.data()});
    };
    CHECK(std::isfinite(value) || deeptf_test::throws(run, "`rows` must be finite"));
    deeptf::embedding_sum_grad(c.pairs(), c.table(), context, c.rows.data(), c.upper.data(),
                               rows.data());
    deeptf::embedding_sum_tangent(c.pairs(), c.table(), context, c.rows.data(), c.direction.data(),
                                  sum.data());
    deeptf::embedding_table_grad(c.pairs(), c.table(), context, c.rows.data(), c.upper.data(),
                                 nodes.data());
    deeptf::embedding_tangent_table_grad(c.pairs(), c.table(), context, c.rows.data(),
                                         c.direction.data(), c.upper.data(), nodes.data());
  }
}

TEST(a_row_that_is_no_number_is_named) {
  Case<double> c(8);
  c.rows[4 * 2 + 3] = NAN;
  c.rows[4 * 1 + 2] = INFINITY;
  std::vector<double> sum(c.upper.size());
  std::vector<int32_t> outside(kTypes * kTypes), closest(kTypes * kTypes);
  const auto run = [&] {
    deeptf::embedding_sum(c.pairs(), c.table(), deeptf_test::threaded(), c.rows.data(), sum.data(),
                          {outside.data(), closest.data()});
  };
  CHECK(deeptf_test::throws(run, "sorted pair 1"));
}

TEST(pairs_outside_the_range_are_counted) {
  const std::vector<int32_t> row{0, 2, 4, 6}, atoms{1}, count{5}, curve{0};
  const std::vector<double> grid{-1, 1, 0, 1, 1, 2}, sel{5}, empty{0};
  const Case<double> c(8);
  const CurvePairs pairs{1,          5,           1, atoms.data(), count.data(), curve.data(),
                         sel.data(), empty.data()};
  const std::vector<double> x{0.5, 1.5, 2.5, 0.0, 2.5};
  std::vector<double> rows(20, 0.0), sum(4 * 8);
  for (size_t k = 0; k < x.size(); ++k) rows[4 * k] = x[k];
  for (const auto& [near, expected] : {std::pair<int, int>{0, 0}, {1, 3}, {2, 4}}) {
    const CurveTable<double> table{1, 3, near, 8, row.data(), grid.data(), c.nodes.data()};
    int32_t outside, closest;
    deeptf::embedding_sum(pairs, table, deeptf_test::threaded(), rows.data(), sum.data(),
                          {&outside, &closest});
    CHECK(outside == expected && closest == (expected > 0 ? 2 : -1));
  }
}

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
  const std::vector<double> upper = deeptf_test::normal(70 * 16, 6);
  std::vector<double> grad(net.weights.size());
  double* g = grad.data();
  deeptf::embedding_nodes_grad<double>(
      net.nets(), deeptf_test::threaded(), upper.data(),
      {{{g, g + 4, nullptr}, {g + 8, g + 24, g + 28}, {g + 32, g + 64, nullptr}}});
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
