// Sums with gates and their derivatives on the device against the CPU.
#include "core/cuda/gated_sum.h"
#include "curve_case.h"

using deeptf_test::CurveCase;
using deeptf_test::CurveCaseOnDevice;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

template <class T>
struct GatedCase : CurveCase<T> {
  GatedCase(int64_t width, int32_t most_pairs, bool shares, double spread = 1)
      : CurveCase<T>(4, width, most_pairs, spread),
        gate(deeptf_test::random<T>(this->curve.size() * width, 7)),
        share(deeptf_test::random<double>(shares ? this->num_pairs : 0, 8)),
        along(deeptf_test::random<double>(share.size(), 9)) {}

  std::vector<T> gate;
  std::vector<double> share, along;
};

// The functions in one order: sum, tangent, to the table, of the tangent to the table, to the
// gates, of the tangent to the gates; then to rows and shares.
template <class T>
struct Results {
  std::vector<std::vector<T>> sums;
  std::vector<std::vector<double>> grads;
  std::vector<std::vector<int32_t>> outside;

  bool operator==(const Results& other) const {
    return sums == other.sums && grads == other.grads && outside == other.outside;
  }
};

// Calls all functions; arrays are places to write to.
template <class T, class Pairs, class Kernel>
void run_all(const Pairs& pairs, const deeptf::CurveTable<T>& table, const deeptf::Gates<T>& gates,
             const deeptf::GatedDirection& direction, const Kernel& kernel, const double* rows,
             const T* upper, const std::vector<T*>& sums, const std::vector<double*>& grads,
             const std::vector<int32_t*>& outside) {
  deeptf::gated_sum(pairs, table, gates, kernel, rows, sums[0], {outside[0], outside[1]});
  deeptf::gated_sum_tangent(pairs, table, gates, kernel, rows, direction, sums[1]);
  deeptf::gated_table_grad(pairs, table, gates, kernel, rows, upper, sums[2]);
  deeptf::gated_tangent_table_grad(pairs, table, gates, kernel, rows, direction, upper, sums[3]);
  deeptf::gate_grad(pairs, table, gates, kernel, rows, upper, sums[4]);
  deeptf::gate_tangent_grad(pairs, table, gates, kernel, rows, direction, upper, sums[5]);
  deeptf::gated_sum_grad(pairs, table, gates, kernel, rows, upper, grads[0], grads[1]);
}

template <class T>
Results<T> of_cpu(const GatedCase<T>& c) {
  const std::vector<T> sums(c.upper.size()), nodes(c.nodes.size()), gates(c.gate.size());
  const std::vector<int32_t> blocks(c.curve.size());
  Results<T> out{{sums, sums, nodes, nodes, gates, gates}, {c.rows, c.share}, {blocks, blocks}};
  std::vector<T*> to_sums;
  for (auto& one : out.sums) to_sums.push_back(one.data());
  const bool shares = !c.share.empty();
  run_all<T>(c.pairs(), c.table(), {c.gate.data(), shares ? c.share.data() : nullptr},
             {c.direction.data(), shares ? c.along.data() : nullptr}, deeptf_test::serial(),
             c.rows.data(), c.upper.data(), to_sums, {out.grads[0].data(), out.grads[1].data()},
             {out.outside[0].data(), out.outside[1].data()});
  return out;
}

template <class T>
Results<T> of_device(const GatedCase<T>& c) {
  const CurveCaseOnDevice<T> on(c);
  const DeviceArray<T> gate(c.gate);
  const DeviceArray<double> share(c.share), along(c.along);
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  std::vector<DeviceArray<T>> sums;
  for (const auto* like : {&c.upper, &c.upper, &c.nodes, &c.nodes, &c.gate, &c.gate}) {
    sums.emplace_back(static_cast<int64_t>(like->size()));
  }
  const DeviceArray<double> rows_grad(c.rows.size()), share_grad(c.share.size());
  const DeviceArray<int32_t> outside(c.curve.size()), closest(c.curve.size());
  std::vector<T*> to_sums;
  for (const auto& one : sums) to_sums.push_back(one.data());
  const bool shares = !c.share.empty();
  run_all<T>(deeptf::place_pairs(on.pairs(), cuda), on.table(),
             {gate.data(), shares ? share.data() : nullptr},
             {on.direction.data(), shares ? along.data() : nullptr}, cuda, on.rows.data(),
             on.upper.data(), to_sums, {rows_grad.data(), share_grad.data()},
             {outside.data(), closest.data()});
  Results<T> out{{}, {rows_grad.host(), share_grad.host()}, {outside.host(), closest.host()}};
  for (const auto& one : sums) out.sums.push_back(one.host());
  return out;
}

template <class T>
void compare(const Results<T>& got, const Results<T>& wanted) {
  for (size_t k = 0; k < wanted.sums.size(); ++k) {
    CHECK(distance(got.sums[k], wanted.sums[k]) < kTolerance<T>);
  }
  for (size_t k = 0; k < wanted.grads.size(); ++k) {
    CHECK(distance(got.grads[k], wanted.grads[k]) < kTolerance<T>);
  }
  CHECK(got.outside == wanted.outside);
}

template <class T>
void check(int64_t width, bool shares) {
  const GatedCase<T> c(width, 2, shares);
  compare(of_device(c), of_cpu(c));
}

template <class T>
void check_in_all_orders(int64_t width, bool shares, double spread) {
  const GatedCase<T> c(width, 140, shares, spread);
  compare(deeptf_test::same_in_all_orders([&] { return of_device(c); }), of_cpu(c));
}

}  // namespace

TEST(results_are_those_of_the_cpu) {
  check<double>(256, true);
  check<float>(256, false);
  check<double>(65, false);
  check<float>(129, true);
  check<float>(1, true);
}

TEST(results_do_not_depend_on_the_order) {
  check_in_all_orders<double>(7, true, 0.01);
  check_in_all_orders<float>(5, false, 1);
}

TEST(without_pairs_there_are_empty_places) {
  GatedCase<double> c(9, 0, false);
  c.neighbor_count.assign(c.neighbor_count.size(), 0);
  c.num_pairs = 0;
  c.rows.clear();
  c.direction.clear();
  compare(of_device(c), of_cpu(c));
}

// Nothing can be refused, so what the CPU refuses must be seen in the results. Nothing outside the
// arrays is read or written: the sanitizers look.
TEST(rows_that_are_no_numbers) {
  GatedCase<double> c(9, 5, true);
  c.rows.assign(c.rows.size(), NAN);
  const Results<double> got = of_device(c);
  for (const double one : got.sums[0]) CHECK(std::isnan(one));
}

TEST(a_net_too_wide_is_an_error) {
  const GatedCase<float> c(257, 3, false);
  CHECK(deeptf_test::throws([&] { of_device(c); }, "at most 256 on a GPU, got 257"));
}
