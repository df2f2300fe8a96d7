// Energies of pairs and soft minima: gradients against differences, formulas at known places, and
// what is refused.
#include <cmath>
#include <functional>

#include "check.h"
#include "core/short_range/centre_pairs.h"

using deeptf::CentrePairs;
using deeptf::PairTable;
using deeptf::SoftMinimum;
using deeptf::Zbl;
using deeptf_test::close;

namespace {

const std::vector<int32_t> kType{0, 0, 1}, kCount{2, 1, 0, 3, 0, 0};  // [3 atoms, 2 types]
constexpr int64_t kPairs = 6;

// By neighbour type, then by atom.
const std::vector<int32_t> kPlaces{0, 2, 2, 3, 2, 6};

CentrePairs pairs_at(const std::vector<double>& x, const std::vector<int32_t>& first) {
  return {3, kPairs, 2, kType.data(), kCount.data(), first.data(), 2, 1, x.data()};
}

using Evaluate = std::function<std::vector<double>(const CentrePairs&, const deeptf::Context&,
                                                   std::vector<double>*)>;

// The gradient of the sum of all values against differences, and bits for any number of threads.
void check_gradient(const Evaluate& evaluate) {
  std::vector<double> x = deeptf_test::normal(3 * kPairs, 4), gradient;
  for (double& one : x) one += one > 0 ? 0.4 : -0.4;
  const std::vector<double> value =
      evaluate(pairs_at(x, kPlaces), deeptf_test::serial(), &gradient);
  std::vector<double> again;
  CHECK(evaluate(pairs_at(x, kPlaces), deeptf_test::threaded(), &again) == value);
  CHECK(again == gradient);
  const auto total = [&] {
    double sum = 0;
    for (const double one : evaluate(pairs_at(x, kPlaces), deeptf_test::serial(), &again))
      sum += one;
    return sum;
  };
  for (int64_t k = 0; k < 3 * kPairs; ++k) {
    const double at = x[k], step = 1e-6;
    x[k] = at + step;
    const double up = total();
    x[k] = at - step;
    const double down = total();
    x[k] = at;
    CHECK(close(gradient[k], (up - down) / (2 * step), 1e-7));
  }
}

template <class Function>
Evaluate energies_of(const Function& function) {
  return [=](const CentrePairs& in, const deeptf::Context& context, std::vector<double>* gradient) {
    std::vector<double> energy = deeptf_test::unwritten(3);
    *gradient = deeptf_test::unwritten(3 * kPairs);
    CHECK(deeptf::pair_energies(in, function, context, energy.data(), gradient->data()) == -1);
    return energy;
  };
}

}  // namespace

TEST(gradients_are_those_of_the_values) {
  const std::vector<double> nodes = deeptf_test::normal(3 * 9 * 2, 5), numbers{1, 8};
  check_gradient(energies_of(PairTable{2, 9, 0.1, 0.5, 3.5, nodes.data()}));
  check_gradient(energies_of(Zbl{0.7, 3.0, numbers.data()}));
  const SoftMinimum of{0.4, 0.5, 3.0};
  check_gradient(
      [=](const CentrePairs& in, const deeptf::Context& context, std::vector<double>* gradient) {
        std::vector<double> value = deeptf_test::unwritten(3);
        *gradient = deeptf_test::unwritten(3 * kPairs);
        deeptf::soft_minimum(in, of, context, value.data(), gradient->data());
        return value;
      });
}

TEST(tables_have_their_nodes_and_an_end) {
  const std::vector<double> nodes{3, -2, 1, -1, 0.5, 0, 9, 0, 9, 0, 9, 0, 7, 0, 7, 0, 7, 0};
  const PairTable table{2, 3, 0.2, 0.5, 1.1, nodes.data()};
  CHECK(close(table(0.2, 0, 0).value, 3, 1e-14) && close(table(0.2, 0, 0).slope, -4, 1e-14));
  CHECK(close(table(0.7, 0, 0).value, 1, 1e-14) && close(table(0.7, 0, 0).slope, -2, 1e-14));
  CHECK(table(0.9, 1, 0).value == 9 && table(0.9, 1, 1).value == 7);
  CHECK(table(1.1, 1, 0).value == 0 && table(5, 1, 0).slope == 0);
  CHECK(std::isnan(table(0.19, 0, 0).value));
}

TEST(walls_are_those_of_lammps) {
  const std::vector<double> numbers{13};
  const Zbl wall{3, 4, numbers.data()};
  CHECK(close(wall(4, 0, 0).value, 0, 1e-15) && wall(4.5, 0, 0).slope == 0);
  for (const double r : {3.0, 4.0}) {  // it is smooth where it changes
    const deeptf::PairEnergy before = wall(r - 1e-7, 0, 0), behind = wall(r + 1e-7, 0, 0);
    CHECK(close(before.value, behind.value, 1e-6) && close(before.slope, behind.slope, 1e-6));
  }
  // pair_style zbl 3.0 4.0 with pair_coeff 1 1 13 13 of LAMMPS
  CHECK(close(wall(1.0, 0, 0).value, 45.9512908835137, 1e-9));
  CHECK(close(wall(3.5, 0, 0).value, 0.0209945665773855, 1e-9));
}

TEST(atoms_without_neighbours_are_not_near) {
  const std::vector<int32_t> type{0}, none{0, 0}, first{0, 0};
  const CentrePairs in{1, 0, 2, type.data(), none.data(), first.data(), 2, 1, nullptr};
  double value = 7;
  deeptf::soft_minimum(in, {0.1, 1, 2}, deeptf_test::serial(), &value, nullptr);
  CHECK(value == 0);
}

TEST(pairs_below_a_table_are_told) {
  const std::vector<double> nodes(3 * 9 * 2, 1.0);
  std::vector<double> x(3 * kPairs, 1.0), energy(3), gradient(3 * kPairs);
  x[12] = x[13] = x[14] = 0.01;
  const PairTable table{2, 9, 0.1, 0.5, 3.5, nodes.data()};
  CHECK(deeptf::pair_energies(pairs_at(x, kPlaces), table, deeptf_test::threaded(), energy.data(),
                              gradient.data()) == 4);
  CHECK(deeptf::below_table(table, x.data() + 12) ==
        " must be at a distance that the pair table has, got them 0.01732 A apart, closer than 0.1 "
        "A, where it begins");
}

TEST(wrong_places_are_named) {
  const std::vector<double> x(3 * kPairs, 1.0);
  std::vector<int32_t> first = kPlaces;
  first[3] = 4;
  CHECK(deeptf_test::throws([&] { check_centre_pairs(pairs_at(x, first)); },
                            "got 4 and 3 at atom 1"));
  first[3] = 2;
  CentrePairs in = pairs_at(x, first);
  const std::vector<int32_t> type{0, 5, 1};
  in.type = type.data();
  CHECK(deeptf_test::throws([&] { check_centre_pairs(in); }, "got 5 at atom 1"));
}
