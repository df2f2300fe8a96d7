// Energies of pairs and soft minima on the device against the CPU.
#include "compare.h"
#include "core/cuda/centre_pairs.h"

using deeptf_test::close;
using deeptf_test::DeviceArray;
using deeptf_test::distance;

namespace {

constexpr double kTolerance = deeptf_test::kTolerance<double>;

// Pairs of 70 atoms, of which some have none, in the order by type or that by atom.
struct Case {
  explicit Case(bool by_type) : of_atom(by_type ? 1 : kTypes), of_type(by_type ? kAtoms : 1) {
    for (int64_t atom = 0; atom < kAtoms; ++atom) type.push_back(atom < 40 ? 0 : 1);
    for (int64_t k = 0; k < kAtoms * kTypes; ++k) count.push_back(k % 7 == 3 ? 0 : k * k % 11);
    first.resize(count.size());
    for (int64_t t = 0; t < kTypes; ++t) {
      for (int64_t atom = 0; atom < kAtoms; ++atom) {
        first[atom * of_atom + t * of_type] = static_cast<int32_t>(pairs);
        pairs += count[atom * kTypes + t];
      }
    }
    x = deeptf_test::normal(3 * pairs, 3);
    for (double& one : x) one += one > 0 ? 0.4 : -0.4;
  }

  deeptf::CentrePairs at(const int32_t* types, const int32_t* counts, const int32_t* firsts,
                         const double* where) const {
    return {kAtoms, pairs, kTypes, types, counts, firsts, of_atom, of_type, where};
  }

  static constexpr int64_t kAtoms = 70, kTypes = 2;
  int64_t of_atom, of_type, pairs = 0;
  std::vector<int32_t> type, count, first;
  std::vector<double> x;
};

using Arrays = std::vector<std::vector<double>>;

// evaluate(pairs, context or Cuda, value, gradient) on both.
template <class Evaluate>
void compare(const Evaluate& evaluate) {
  for (const bool by_type : {false, true}) {
    const Case given(by_type);
    std::vector<double> value(Case::kAtoms), gradient(3 * given.pairs);
    evaluate(given.at(given.type.data(), given.count.data(), given.first.data(), given.x.data()),
             deeptf_test::serial(), false, value.data(), gradient.data());
    const DeviceArray<int32_t> type(given.type), count(given.count), first(given.first);
    const DeviceArray<double> x(given.x);
    const Arrays got = deeptf_test::same_in_all_orders([&] {
      const DeviceArray<double> to_value(Case::kAtoms), to_gradient(3 * given.pairs);
      evaluate(given.at(type.data(), count.data(), first.data(), x.data()), deeptf::Cuda(), true,
               to_value.data(), to_gradient.data());
      return Arrays{to_value.host(), to_gradient.host()};
    });
    CHECK(distance(got[0], value) < kTolerance);
    CHECK(distance(got[1], gradient) < kTolerance);
  }
}

}  // namespace

TEST(tables_are_those_of_the_cpu) {
  const std::vector<double> nodes = deeptf_test::normal(3 * 9 * 2, 5);
  const DeviceArray<double> on_device(nodes);
  compare([&](const deeptf::CentrePairs& in, const auto& where, bool device, double* value,
              double* gradient) {
    const double* at = device ? on_device.data() : nodes.data();
    deeptf::pair_energies(in, deeptf::PairTable{2, 9, 0.1, 0.5, 3.5, at}, where, value, gradient);
  });
}

TEST(walls_are_those_of_the_cpu) {
  const std::vector<double> numbers{1, 8};
  const DeviceArray<double> on_device(numbers);
  compare([&](const deeptf::CentrePairs& in, const auto& where, bool device, double* value,
              double* gradient) {
    const double* at = device ? on_device.data() : numbers.data();
    deeptf::pair_energies(in, deeptf::Zbl{0.9, 2.8, at}, where, value, gradient);
  });
}

TEST(switches_are_those_of_the_cpu) {
  compare(
      [&](const deeptf::CentrePairs& in, const auto& where, bool, double* value, double* gradient) {
        deeptf::soft_minimum(in, {0.4, 0.5, 3.0}, where, value, gradient);
      });
}

TEST(pairs_below_a_table_have_no_energy) {
  const DeviceArray<double> nodes({1, 0, 1, 0}), x({0.1, 0, 0, 0.6, 0, 0});
  const DeviceArray<int32_t> type({0, 0}), count({1, 1}), first({0, 1});
  const DeviceArray<double> value(2), gradient(6);
  deeptf::pair_energies(
      deeptf::CentrePairs{2, 2, 1, type.data(), count.data(), first.data(), 1, 1, x.data()},
      deeptf::PairTable{1, 2, 0.5, 0.5, 3.0, nodes.data()}, deeptf::Cuda(), value.data(),
      gradient.data());
  const std::vector<double> got = value.host();
  CHECK(std::isnan(got[0]) && close(got[1], 0.5, 1e-15));
}
