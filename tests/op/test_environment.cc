// Environment rows: closed form, finite differences, transposed derivative, errors.
#include "check.h"
#include "core/geometry/environment.h"

using deeptf::EnvironmentInputs;
using deeptf_test::close;

namespace {

constexpr int kPairs = 60;

struct Case {
  std::vector<double> displacement = deeptf_test::normal(3 * kPairs, 1);
  std::vector<double> mean = deeptf_test::normal(8, 2), stddev;
  std::vector<int32_t> centre, type{1, 0, 1};

  Case() {
    for (double value : deeptf_test::normal(8, 3)) stddev.push_back(0.3 + std::fabs(value));
    for (int pair = 0; pair < kPairs; ++pair) centre.push_back(pair % 3);
    for (double& value : displacement) value *= 1.7;
  }
  EnvironmentInputs inputs() const {
    return {kPairs,
            3,
            2,
            columns,
            displacement.data(),
            centre.data(),
            type.data(),
            mean.data(),
            stddev.data(),
            1.2,
            3.5};
  }
  // The same, with radial rows.
  Case radial() const {
    Case made = *this;
    made.columns = 1;
    made.mean = {mean[0], mean[4]};
    made.stddev = {stddev[0], stddev[4]};
    return made;
  }

  int64_t columns = 4;
};

std::vector<double> rows_of(const Case& a, const deeptf::Context& context) {
  std::vector<double> rows = deeptf_test::unwritten(a.columns * kPairs);
  environment(a.inputs(), context, rows.data());
  return rows;
}

}  // namespace

TEST(rows_follow_the_formula) {
  const Case a;
  const std::vector<double> rows = rows_of(a, deeptf_test::serial());
  for (int pair = 0; pair < kPairs; ++pair) {
    const double* x = a.displacement.data() + 3 * pair;
    const double r = std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
    const double u = std::min(std::max((r - 1.2) / 2.3, 0.0), 1.0);
    const double s = (u * u * u * (-6 * u * u + 15 * u - 10) + 1) / r;
    const double raw[4] = {s, s * x[0] / r, s * x[1] / r, s * x[2] / r};
    const int type = a.type[a.centre[pair]];
    for (int k = 0; k < 4; ++k) {
      const double want = (raw[k] - a.mean[4 * type + k]) / a.stddev[4 * type + k];
      CHECK(close(rows[4 * pair + k], want, 1e-12));
    }
  }
  CHECK(rows == rows_of(a, deeptf_test::threaded()));
}

TEST(gradient_against_differences) {
  Case a;
  const std::vector<double> upper = deeptf_test::normal(4 * kPairs, 4);
  std::vector<double> grad(3 * kPairs);
  environment_grad(a.inputs(), deeptf_test::threaded(), upper.data(), grad.data());
  for (int k = 0; k < 3 * kPairs; ++k) {
    double energy[2];
    for (const int side : {0, 1}) {
      const double start = a.displacement[k];
      a.displacement[k] += side ? 1e-6 : -1e-6;
      const std::vector<double> rows = rows_of(a, deeptf_test::serial());
      a.displacement[k] = start;
      energy[side] = 0;
      for (int m = 0; m < 4; ++m) energy[side] += rows[k / 3 * 4 + m] * upper[k / 3 * 4 + m];
    }
    CHECK(close(grad[k], (energy[1] - energy[0]) / 2e-6, 1e-7));
  }
}

TEST(second_function_is_the_transpose_of_the_gradient) {
  const Case a;
  const std::vector<double> upper = deeptf_test::normal(4 * kPairs, 5);
  const std::vector<double> along = deeptf_test::normal(3 * kPairs, 6);
  std::vector<double> grad(3 * kPairs), back(4 * kPairs);
  environment_grad(a.inputs(), deeptf_test::serial(), upper.data(), grad.data());
  environment_grad_grad(a.inputs(), deeptf_test::threaded(), along.data(), back.data());
  for (int pair = 0; pair < kPairs; ++pair) {
    double left = 0, right = 0;
    for (int k = 0; k < 3; ++k) left += grad[3 * pair + k] * along[3 * pair + k];
    for (int k = 0; k < 4; ++k) right += back[4 * pair + k] * upper[4 * pair + k];
    CHECK(close(left, right, 1e-12));
  }
}

TEST(radial_rows_are_the_first_column) {
  const Case all, one = all.radial();
  const std::vector<double> rows = rows_of(all, deeptf_test::serial());
  const std::vector<double> radial = rows_of(one, deeptf_test::threaded());
  const std::vector<double> along = deeptf_test::normal(3 * kPairs, 7);
  std::vector<double> upper(4 * kPairs, 0.0), up = deeptf_test::normal(kPairs, 8);
  std::vector<double> grad(3 * kPairs), radial_grad(3 * kPairs), back(4 * kPairs), up_back(kPairs);
  for (int pair = 0; pair < kPairs; ++pair) upper[4 * pair] = up[pair];
  environment_grad(all.inputs(), deeptf_test::serial(), upper.data(), grad.data());
  environment_grad(one.inputs(), deeptf_test::threaded(), up.data(), radial_grad.data());
  environment_grad_grad(all.inputs(), deeptf_test::serial(), along.data(), back.data());
  environment_grad_grad(one.inputs(), deeptf_test::threaded(), along.data(), up_back.data());
  for (int k = 0; k < 3 * kPairs; ++k) CHECK(close(grad[k], radial_grad[k], 1e-14));
  for (int pair = 0; pair < kPairs; ++pair) {
    CHECK(rows[4 * pair] == radial[pair]);
    CHECK(back[4 * pair] == up_back[pair]);
  }
}

TEST(displacements_without_a_direction_are_refused) {
  for (const double value : std::vector<double>{0.0, 5e-7, NAN, INFINITY}) {
    Case a;
    for (int k = 0; k < 3; ++k) a.displacement[3 * 5 + k] = k == 1 ? value : 0.0;
    const auto run = [&] { rows_of(a, deeptf_test::threaded()); };
    CHECK(deeptf_test::throws(run, "for pair 5 of atom 2"));
    std::vector<double> upper(4 * kPairs, 1.0), grad(3 * kPairs);
    environment_grad(a.inputs(), deeptf_test::serial(), upper.data(), grad.data());
    environment_grad_grad(a.inputs(), deeptf_test::serial(), grad.data(), upper.data());
  }
  Case far;
  far.displacement[15] = 1e200;  // beyond the cut-off, though its square is not a number
  const int type = far.type[far.centre[5]];
  const double empty = -far.mean[4 * type] / far.stddev[4 * type];
  CHECK(close(rows_of(far, deeptf_test::serial())[20], empty, 1e-14));
}

TEST(statistics_that_are_no_use_are_refused) {
  for (const double value : std::vector<double>{0.0, -1.0, NAN, INFINITY}) {
    Case a;
    a.stddev[6] = value;
    const auto run = [&] { check_environment(a.inputs(), deeptf_test::serial()); };
    CHECK(deeptf_test::throws(run, "for type 1"));
  }
}

TEST(wrong_indices_are_named) {
  const auto message = [](const Case& a, const char* part) {
    return deeptf_test::throws([&] { check_environment(a.inputs(), deeptf_test::threaded()); },
                               part);
  };
  Case a;
  a.centre[7] = 3;
  CHECK(message(a, "`centre` must be an atom index below 3, got 3 at pair 7"));
  a.centre[7] = -1;
  CHECK(message(a, "`centre` must be an atom index below 3, got -1 at pair 7"));
  for (const int32_t wrong : {2, -1}) {
    a = Case();
    a.type[1] = wrong;
    CHECK(message(a, ("`atom_type` must be 0 to 1, got " + std::to_string(wrong)).c_str()));
  }
}
