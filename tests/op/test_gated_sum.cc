// Sums with gates and their derivatives by what they must add up to. Values are also compared in
// tests/ops/test_gated_sum.py.
#include <algorithm>

#include "check.h"
#include "core/curve/gated_sum.h"
#include "curve_case.h"

using namespace deeptf_test;

namespace {

template <class T>
struct GatedCase : Case<T> {
  GatedCase(int64_t width, bool shares)
      : Case<T>(width),
        gate(random<T>(kTypes * kTypes * width, 7)),
        share(random<double>(shares ? this->num_pairs : 0, 8)),
        along(random<double>(share.size(), 9)) {}
  deeptf::Gates<T> gates() const { return {gate.data(), share.empty() ? nullptr : share.data()}; }
  deeptf::GatedDirection toward() const {
    return {this->direction.data(), share.empty() ? nullptr : along.data()};
  }

  std::vector<T> gate;
  std::vector<double> share, along;
};

template <class T>
struct Found {
  explicit Found(const GatedCase<T>& c)
      : sum(c.upper.size()),
        tangent(c.upper.size()),
        table_grad(c.nodes.size()),
        tangent_table_grad(c.nodes.size()),
        gate_grad(c.gate.size()),
        tangent_gate_grad(c.gate.size()),
        rows_grad(c.rows.size()),
        share_grad(c.share.size()) {}

  std::vector<T> sum, tangent, table_grad, tangent_table_grad, gate_grad, tangent_gate_grad;
  std::vector<double> rows_grad, share_grad;
};

template <class T>
Found<T> found(const GatedCase<T>& c, const deeptf::Context& context) {
  Found<T> out(c);
  std::vector<int32_t> outside(kTypes * kTypes), closest(kTypes * kTypes);
  const auto pairs = c.pairs();
  const auto table = c.table();
  const double* rows = c.rows.data();
  const T* upper = c.upper.data();
  deeptf::gated_sum(pairs, table, c.gates(), context, rows, out.sum.data(),
                    {outside.data(), closest.data()});
  deeptf::gated_sum_tangent(pairs, table, c.gates(), context, rows, c.toward(), out.tangent.data());
  deeptf::gated_sum_grad(pairs, table, c.gates(), context, rows, upper, out.rows_grad.data(),
                         out.share_grad.data());
  deeptf::gated_table_grad(pairs, table, c.gates(), context, rows, upper, out.table_grad.data());
  deeptf::gated_tangent_table_grad(pairs, table, c.gates(), context, rows, c.toward(), upper,
                                   out.tangent_table_grad.data());
  deeptf::gate_grad(pairs, table, c.gates(), context, rows, upper, out.gate_grad.data());
  deeptf::gate_tangent_grad(pairs, table, c.gates(), context, rows, c.toward(), upper,
                            out.tangent_gate_grad.data());
  return out;
}

template <class T>
void check_case(GatedCase<T> c, double tolerance) {
  const Found<T> of = found(c, serial()), again = found(c, threaded());
  CHECK(of.sum == again.sum && of.tangent == again.tangent && of.rows_grad == again.rows_grad &&
        of.share_grad == again.share_grad && of.table_grad == again.table_grad &&
        of.tangent_table_grad == again.tangent_table_grad && of.gate_grad == again.gate_grad &&
        of.tangent_gate_grad == again.tangent_gate_grad);
  const double size = static_cast<double>(of.sum.size()) * 10 * tolerance;
  const double sum = inner(of.sum, c.upper), tangent = inner(of.tangent, c.upper);
  CHECK(close(inner(of.table_grad, c.nodes), sum, size));
  CHECK(close(inner(of.tangent_table_grad, c.nodes), tangent, size));
  CHECK(close(inner(of.rows_grad, c.direction) + inner(of.share_grad, c.along), tangent, size));
  // Linear in the gates, beside what there is without any.
  const std::vector<T> gate = c.gate;
  std::fill(c.gate.begin(), c.gate.end(), T(0));
  const Found<T> without = found(c, serial());
  CHECK(close(inner(of.gate_grad, gate), sum - inner(without.sum, c.upper), size));
  CHECK(close(inner(of.tangent_gate_grad, gate), tangent - inner(without.tangent, c.upper), size));
  std::vector<T> plain(of.sum.size());
  std::vector<int32_t> outside(kTypes * kTypes), closest(kTypes * kTypes);
  deeptf::embedding_sum(c.pairs(), c.table(), serial(), c.rows.data(), plain.data(),
                        {outside.data(), closest.data()});
  for (size_t k = 0; k < plain.size(); ++k) CHECK(close(without.sum[k], plain[k], tolerance));
}

}  // namespace

TEST(gated_sums_and_derivatives) {
  for (const int64_t width : {1, 5, 8, 20, 33}) {
    for (const bool shares : {false, true}) {
      check_case(GatedCase<double>(width, shares), 1e-12);
      check_case(GatedCase<float>(width, shares), 1e-4);
    }
  }
}

TEST(gates_want_four_columns) {
  const Case<double> c(3, 1);
  CHECK(throws([&] { deeptf::check_gated(c.pairs()); }, "`rows` must have 4 columns where"));
}

// Whatever the rows hold, nothing outside the arrays is read or written: the sanitizers look.
TEST(gated_rows_that_are_no_numbers) {
  GatedCase<double> c(8, true);
  std::fill(c.rows.begin(), c.rows.end(), NAN);
  CHECK(throws([&] { found(c, threaded()); }, "`rows` must be finite"));
  Found<double> out(c);
  deeptf::gated_sum_grad(c.pairs(), c.table(), c.gates(), threaded(), c.rows.data(), c.upper.data(),
                         out.rows_grad.data(), out.share_grad.data());
  deeptf::gated_table_grad(c.pairs(), c.table(), c.gates(), threaded(), c.rows.data(),
                           c.upper.data(), out.table_grad.data());
  deeptf::gate_grad(c.pairs(), c.table(), c.gates(), threaded(), c.rows.data(), c.upper.data(),
                    out.gate_grad.data());
}
