// Sums of tabulated nets, their tangents and gradients on the device against the CPU.
#include "core/cuda/embedding_sum.h"
#include "curve_case.h"

using deeptf_test::CurveCase;
using deeptf_test::CurveCaseOnDevice;
using deeptf_test::DeviceArray;
using deeptf_test::distance;
using deeptf_test::kTolerance;

namespace {

template <class T>
struct Results {
  std::vector<T> sum, tangent, table_grad, tangent_table_grad;
  std::vector<double> rows_grad;
  std::vector<int32_t> outside, closest;

  bool operator==(const Results& other) const {
    return sum == other.sum && tangent == other.tangent && table_grad == other.table_grad &&
           tangent_table_grad == other.tangent_table_grad && rows_grad == other.rows_grad &&
           outside == other.outside && closest == other.closest;
  }
};

template <class T>
Results<T> of_cpu(const CurveCase<T>& c) {
  const deeptf::CurvePairs pairs = c.pairs();
  const deeptf::CurveTable<T> table = c.table();
  const deeptf::Context context = deeptf_test::serial();
  const double *rows = c.rows.data(), *direction = c.direction.data();
  const std::vector<T> sums(c.upper.size()), nodes(c.nodes.size());
  const std::vector<int32_t> blocks(c.curve.size());
  Results<T> out{sums, sums, nodes, nodes, std::vector<double>(c.rows.size()), blocks, blocks};
  deeptf::embedding_sum(pairs, table, context, rows, out.sum.data(),
                        {out.outside.data(), out.closest.data()});
  deeptf::embedding_sum_tangent(pairs, table, context, rows, direction, out.tangent.data());
  deeptf::embedding_sum_grad(pairs, table, context, rows, c.upper.data(), out.rows_grad.data());
  deeptf::embedding_table_grad(pairs, table, context, rows, c.upper.data(), out.table_grad.data());
  deeptf::embedding_tangent_table_grad(pairs, table, context, rows, direction, c.upper.data(),
                                       out.tangent_table_grad.data());
  return out;
}

// The table has room for `more` nodes than there are.
template <class T>
Results<T> of_device(const CurveCase<T>& c, int64_t more) {
  const CurveCaseOnDevice<T> on(c);
  deeptf_test::TestDevice device;
  const deeptf::Cuda cuda = device.cuda();
  const deeptf::PlacedPairs pairs = deeptf::place_pairs(on.pairs(), cuda);
  deeptf::CurveTable<T> table = on.table();
  table.num_needed += more;
  const int64_t sums = c.upper.size(), nodes = c.table_size(table.num_needed);
  const int64_t blocks = c.curve.size(), all_rows = c.rows.size();
  const DeviceArray<T> sum(sums), tangent(sums), table_grad(nodes), tangent_table_grad(nodes);
  const DeviceArray<double> rows_grad(all_rows);
  const DeviceArray<int32_t> outside(blocks), closest(blocks);
  const double *rows = on.rows.data(), *direction = on.direction.data();
  const T* upper = on.upper.data();
  deeptf::embedding_sum(pairs, table, cuda, rows, sum.data(), {outside.data(), closest.data()});
  deeptf::embedding_sum_tangent(pairs, table, cuda, rows, direction, tangent.data());
  deeptf::embedding_sum_grad(pairs, table, cuda, rows, upper, rows_grad.data());
  deeptf::embedding_table_grad(pairs, table, cuda, rows, upper, table_grad.data());
  deeptf::embedding_tangent_table_grad(pairs, table, cuda, rows, direction, upper,
                                       tangent_table_grad.data());
  return {sum.host(),       tangent.host(), table_grad.host(), tangent_table_grad.host(),
          rows_grad.host(), outside.host(), closest.host()};
}

template <class T>
void compare(const Results<T>& got, const Results<T>& wanted) {
  CHECK(distance(got.sum, wanted.sum) < kTolerance<T>);
  CHECK(distance(got.tangent, wanted.tangent) < kTolerance<T>);
  CHECK(distance(got.rows_grad, wanted.rows_grad) < kTolerance<T>);
  CHECK(distance(got.table_grad, wanted.table_grad) < kTolerance<T>);
  CHECK(distance(got.tangent_table_grad, wanted.tangent_table_grad) < kTolerance<T>);
  CHECK(got.outside == wanted.outside);
  CHECK(got.closest == wanted.closest);
}

template <class T>
void check(int64_t columns, int64_t width) {
  const CurveCase<T> c(columns, width, 2);
  compare(of_device(c, 0), of_cpu(c));
}

template <class T>
void check_in_all_orders(int64_t columns, int64_t width, double spread) {
  const CurveCase<T> c(columns, width, 140, spread);
  compare(deeptf_test::same_in_all_orders([&] { return of_device(c, 0); }), of_cpu(c));
}

}  // namespace

TEST(results_are_those_of_the_cpu) {
  check<double>(1, 130);
  check<float>(1, 20);
  check<double>(4, 256);
  check<float>(4, 256);
  check<double>(4, 64);
  check<float>(4, 1);
  check<float>(4, 129);
}

TEST(results_do_not_depend_on_the_order) {
  check_in_all_orders<double>(1, 7, 1);
  check_in_all_orders<double>(4, 7, 0.01);
  check_in_all_orders<float>(4, 5, 1);
}

TEST(of_pairs_equally_close_the_first_one_is_named) {
  CurveCase<float> c(4, 3, 5);
  for (int64_t pair = 0; pair < c.num_pairs; ++pair) c.rows[4 * pair] = 2;
  c.make_table();
  compare(deeptf_test::same_in_all_orders([&] { return of_device(c, 0); }), of_cpu(c));
}

template <class T>
void check_room() {
  const CurveCase<T> c(4, 20, 5);
  Results<T> got = of_device(c, 3);
  for (std::vector<T>* grad : {&got.table_grad, &got.tangent_table_grad}) {
    for (size_t k = c.nodes.size(); k < grad->size(); ++k) CHECK((*grad)[k] == 0);
    grad->resize(c.nodes.size());
  }
  compare(got, of_cpu(c));
}

TEST(a_table_may_have_room_for_more_nodes) {
  check_room<double>();
  check_room<float>();
}

TEST(without_pairs_there_are_empty_places) {
  CurveCase<double> c(4, 9, 0);
  c.neighbor_count.assign(c.neighbor_count.size(), 0);
  c.num_pairs = 0;
  c.rows.clear();
  c.direction.clear();
  compare(of_device(c, 0), of_cpu(c));
}

// Nothing can be refused, so what the CPU refuses must be seen in the sums.
TEST(a_row_that_is_no_number_makes_its_sums_none) {
  CurveCase<double> c(4, 9, 5);
  const std::vector<double> before = of_cpu(c).sum;
  c.rows[2] = NAN;  // pair 0 is the first one of atom 1
  std::vector<double> sum = of_device(c, 0).sum;
  for (size_t k = (4 + 2) * 9; k < (4 + 3) * 9; ++k) {
    CHECK(std::isnan(sum[k]));
    sum[k] = before[k];
  }
  CHECK(distance(sum, before) < 1e-12);
  c.rows[0] = NAN;
  sum = of_device(c, 0).sum;
  for (size_t k = 4 * 9; k < 8 * 9; ++k) CHECK(std::isnan(sum[k]));
}

// The others must stay in their arrays: the sanitizers look.
TEST(a_row_without_nodes_makes_its_sums_no_numbers) {
  CurveCase<double> c(4, 9, 5);
  c.needed.assign(c.needed.size(), 2);
  c.needed[0] = 0;
  c.needed[1] = 1;
  c.nodes.resize(c.table_size(2));
  const std::vector<double> sum = of_device(c, 0).sum;
  for (int64_t atom = 0; atom < c.kAtoms; ++atom) CHECK(std::isnan(sum[atom * 4 * 9]));
}

TEST(a_net_too_wide_is_an_error) {
  const CurveCase<float> c(4, 257, 3);
  CHECK(deeptf_test::throws([&] { of_device(c, 0); }, "at most 256 on a GPU, got 257"));
}
