// Sums over neighbours of tabulated curves against plain loops, their derivatives by what they must
// add up to, and the nodes that they need. Values are also compared in tests/ops/test_curve_sum.py.
#include <algorithm>
#include <utility>

#include "check.h"
#include "curve_case.h"

using namespace deeptf_test;

namespace {

template <class T>
std::vector<double> plain_sum(const Case<T>& c) {
  const int types[kNumAtoms] = {0, 0, 2, 2, 2};
  std::vector<double> sum(c.upper.size(), 0.0);
  const int64_t W = c.columns;
  int64_t pair = 0;
  for (int64_t t = 0; t < kTypes; ++t) {
    for (int64_t atom = 0; atom < kNumAtoms; ++atom) {
      const int32_t curve = kCurve[t * kTypes + types[atom]], number = c.count[atom * kTypes + t];
      const double x0 = kEmpty[t * kTypes + types[atom]];
      for (int64_t m = 0; m < c.width && curve >= 0; ++m) {
        for (int64_t p = pair; p < pair + number; ++p) {
          const double* row = c.rows.data() + W * p;
          const double g = c.value(curve, row[0], m);
          for (int64_t w = 0; w < W; ++w) {
            sum[(atom * W + w) * c.width + m] += W == 1 ? g : row[w] * g;
          }
        }
        sum[atom * W * c.width + m] +=
            (kSel[t] - number) * (W == 1 ? 1 : x0) * c.value(curve, x0, m);
      }
      pair += number;
    }
  }
  return sum;
}

template <class T>
void check_case(const Case<T>& c, double tolerance) {
  const std::vector<double> expected = plain_sum(c);
  std::vector<std::vector<T>> first;
  std::vector<double> first_rows;
  for (const auto& context : {deeptf_test::serial(), deeptf_test::threaded()}) {
    std::vector<T> sum(expected.size()), tangent(expected.size());
    std::vector<double> rows_grad(c.rows.size());
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
    const std::vector<std::vector<T>> all{sum, tangent, table_grad, tangent_grad};
    if (first.empty()) first = all, first_rows = rows_grad;
    CHECK(first == all && first_rows == rows_grad);
  }
}

}  // namespace

TEST(sums_and_derivatives) {
  for (const int64_t width : {1, 5, 8, 20, 33}) {
    for (const int64_t columns : {1, 4}) {
      check_case(Case<double>(width, columns), 1e-12);
      check_case(Case<float>(width, columns), 1e-4);
    }
  }
}

// What float32 reads: a difference of close values is that of float64, rounded once.
TEST(intervals_are_rounded_nodes) {
  constexpr int64_t nodes = 9, width = 5, padded = 8, row = 16;
  std::vector<double> table = deeptf_test::normal(nodes * 2 * padded, 5);
  for (int64_t k = 0; k < nodes; ++k) table[k * 2 * padded] = 1 + 1e-9 * table[k * 2 * padded];
  const std::vector<double> upper = deeptf_test::normal((nodes - 1) * 4 * row, 6);
  const std::vector<float> upper32(upper.begin(), upper.end());
  for (const auto& context : {deeptf_test::serial(), deeptf_test::threaded()}) {
    std::vector<float> intervals(upper.size(), -1);
    deeptf::round_intervals(nodes, width, context, table.data(), intervals.data());
    double weighed = 0;
    for (int64_t at = 0; at < (nodes - 1) * 4 * row; ++at) {
      const int64_t m = at % row, i = at / row % 4;
      if (m >= width) {
        CHECK(intervals[at] == 0);
        continue;
      }
      const double *left = table.data() + at / row / 4 * 2 * padded + m, *right = left + 2 * padded;
      const double exact[4] = {left[0], left[padded], right[0] - left[0], right[padded]};
      CHECK(intervals[at] == static_cast<float>(exact[i]));
      weighed += exact[i] * static_cast<double>(upper32[at]);
    }
    std::vector<double> grad(table.size(), -1);
    deeptf::round_intervals_grad(nodes, width, context, upper32.data(), grad.data());
    CHECK(close(inner(grad, table), weighed, 1e-12));  // linear in the nodes
  }
}

TEST(sums_over_a_table_of_the_needed_nodes) {
  for (const int64_t columns : {1, 4}) {
    Case<double> c(5, columns);
    for (size_t k = 0; k < c.rows.size(); k += columns) c.rows[k] = 0.6;  // no place in between
    const std::vector<int32_t> row = c.needed_row(deeptf_test::serial());
    CHECK(row == c.needed_row(deeptf_test::threaded()));
    CHECK(row.back() > 2 && row.back() < kNodeRow.back());
    const std::vector<double> whole = plain_sum(c);
    c.hold(row);
    CHECK(plain_sum(c) == whole);
    check_case(c, 1e-12);
  }
}

TEST(counts_that_do_not_fit_are_errors) {
  Case<double> c(3);
  auto pairs = c.pairs();
  auto segments = c.segments();
  const auto check = [&] { deeptf::check_curves(pairs, segments); };
  check();
  pairs.num_pairs += 1;
  CHECK(deeptf_test::throws(check, "must add up to 5 atoms"));
  pairs.num_pairs -= 1;
  const std::vector<int32_t> negative{6, -1, 0};
  pairs.atom_count = negative.data();
  CHECK(deeptf_test::throws(check, "`atom_count` must not be negative"));
  pairs.atom_count = kAtoms.data();
  pairs.columns = 2;
  CHECK(deeptf_test::throws(check, "`rows` must have 1 or 4 columns, got 2"));
  pairs.columns = 4;
  segments.near = 1;
  CHECK(deeptf_test::throws(check, "`near` must be from 0 to below the 1 segments"));
  segments.near = 0;
  const std::vector<int32_t> far{0, INT32_MAX, 6, 11};
  segments.node_row = far.data();
  CHECK(deeptf_test::throws(check, "for segment 1"));
  for (const auto& [row, needed] : {std::pair<std::vector<int32_t>, int>{{0, 1, 1}, 2},
                                    {{1, 1, 2}, 2},
                                    {{0, 2, 2}, 2},
                                    {{0, 1, 0}, 0}}) {
    const auto count = [&, row = row.data(), needed = needed] {
      deeptf::check_needed(row, 2, needed);
    };
    CHECK(deeptf_test::throws(count, "`needed_row` must count the nodes"));
  }
}

// Whatever the rows hold, nothing outside the arrays is read or written: the sanitizers look.
TEST(rows_that_are_no_numbers) {
  for (const double value : std::vector<double>{NAN, INFINITY, -INFINITY, 1e308, -1e308}) {
    Case<double> c(8, value > 0 ? 1 : 4);
    std::fill(c.rows.begin(), c.rows.end(), value);
    c.hold(c.needed_row(deeptf_test::threaded()));
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

TEST(nodes_that_are_not_there_are_refused) {
  Case<double> c(8);
  std::vector<int32_t> two(kNodeRow.back() + 1, 2);
  two[0] = 0;
  two[1] = 1;
  c.hold(two);
  std::vector<double> sum(c.upper.size()), rows(c.rows.size()), nodes(c.nodes.size());
  std::vector<int32_t> outside(kTypes * kTypes), closest(kTypes * kTypes);
  const auto run = [&] {
    deeptf::embedding_sum(c.pairs(), c.table(), deeptf_test::threaded(), c.rows.data(), sum.data(),
                          {outside.data(), closest.data()});
  };
  CHECK(deeptf_test::throws(run, "`needed_row` must hold the nodes of all pairs"));
  // The others must stay in their arrays: the sanitizers look.
  deeptf::embedding_sum_grad(c.pairs(), c.table(), deeptf_test::threaded(), c.rows.data(),
                             c.upper.data(), rows.data());
  deeptf::embedding_table_grad(c.pairs(), c.table(), deeptf_test::threaded(), c.rows.data(),
                               c.upper.data(), nodes.data());
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
  const CurvePairs pairs{1,          5,           1, 4, atoms.data(), count.data(), curve.data(),
                         sel.data(), empty.data()};
  const std::vector<double> x{0.5, 1.5, 2.5, 0.0, 2.5};
  std::vector<double> rows(20, 0.0), sum(4 * 8);
  for (size_t k = 0; k < x.size(); ++k) rows[4 * k] = x[k];
  for (const auto& [near, expected] : {std::pair<int, int>{0, 0}, {1, 3}, {2, 4}}) {
    const CurveSegments segments{1, 3, near, row.data(), grid.data()};
    const CurveTable<double> table{segments, 8, 6, c.needed.data(), c.nodes.data()};
    int32_t outside, closest;
    deeptf::embedding_sum(pairs, table, deeptf_test::threaded(), rows.data(), sum.data(),
                          {&outside, &closest});
    CHECK(outside == expected && closest == (expected > 0 ? 2 : -1));
  }
}
