// Sorted pairs, counts and the reverse index against the CPU's: ghosts, virtual atoms, atoms that
// are not owned, a type without atoms, long rows; and what the CPU refuses.
#include <array>
#include <tuple>

#include "compare.h"
#include "core/cuda/pair_order.h"
#include "device_array.h"

using deeptf_test::DeviceArray;

namespace {

struct Case {
  int64_t num_owned = 17;
  int32_t num_types = 4;  // of type 2 there is no atom
  std::vector<int32_t> row{0}, neighbor, atom_type;
  std::vector<double> displacement;

  // 20 centres and 12 ghosts; pairs in no order.
  Case() {
    for (int32_t atom = 0; atom < 32; ++atom) {
      const int32_t type = atom * 7 % 5 - 1;
      atom_type.push_back(type == 2 ? 0 : type);
    }
    for (int32_t atom = 0; atom < 20; ++atom) {
      const int32_t pairs = atom == 3 ? 75 : atom * 5 % 13;
      for (int32_t k = 0; k < pairs; ++k) neighbor.push_back((atom * 3 + k * 11 + k * k) % 32);
      row.push_back(static_cast<int32_t>(neighbor.size()));
    }
    displacement = deeptf_test::normal(3 * neighbor.size(), 1);
  }
  int64_t num_centres() const { return static_cast<int64_t>(row.size()) - 1; }
  int64_t num_all() const { return static_cast<int64_t>(atom_type.size()); }
  int64_t num_pairs() const { return static_cast<int64_t>(neighbor.size()); }
};

// atom_order, atom_count, neighbor_count, pair_count, first_pair, pair_row, centre, neighbor,
// pair_of; and displacement
using Integers = std::array<std::vector<int32_t>, 9>;
using Result = std::tuple<Integers, std::vector<double>>;

Result of_cpu(const Case& c) {
  deeptf::PairSorter sorter({c.num_centres(), c.num_owned, c.num_all(), c.num_types, c.row.data(),
                             c.neighbor.data(), c.displacement.data(), c.atom_type.data()},
                            deeptf_test::serial());
  const auto copy = [](const deeptf::Scratch<int32_t>& from) {
    return std::vector<int32_t>(from.begin(), from.end());
  };
  std::vector<int32_t> centre(sorter.num_sorted()), neighbor = centre, pair_of = centre;
  std::vector<double> displacement(3 * sorter.num_sorted());
  sorter.fill(deeptf_test::serial(),
              {centre.data(), neighbor.data(), displacement.data(), pair_of.data()});
  return {{copy(sorter.atom_order()), copy(sorter.atom_count()), copy(sorter.neighbor_count()),
           copy(sorter.pair_count()), copy(sorter.first_pair()), copy(sorter.pair_row()), centre,
           neighbor, pair_of},
          displacement};
}

// What sorter_of(list, Cuda) makes of a list on the device.
template <class SorterOf>
Result sorted_by(const Case& c, const SorterOf& sorter_of) {
  deeptf_test::TestDevice device;
  const DeviceArray<int32_t> row(c.row), neighbor(c.neighbor), atom_type(c.atom_type);
  const DeviceArray<double> displacement(c.displacement);
  deeptf::CudaPairSorter sorter =
      sorter_of(deeptf::PairList{c.num_centres(), c.num_owned, c.num_all(), c.num_types, row.data(),
                                 neighbor.data(), displacement.data(), atom_type.data()},
                device.cuda());
  const int64_t real = sorter.num_real(), sorted = sorter.num_sorted(), types = c.num_types;
  std::vector<DeviceArray<int32_t>> out;
  for (const int64_t size : {real, types, real * types, types * types, real * types,
                             c.num_all() + 1, sorted, sorted, sorted}) {
    out.emplace_back(size);
  }
  const DeviceArray<double> sorted_displacement(3 * sorted);
  sorter.fill(
      {out[0].data(), out[1].data(), out[2].data(), out[3].data(), out[4].data(), out[5].data()},
      {out[6].data(), out[7].data(), sorted_displacement.data(), out[8].data()});
  Result result;
  for (int k = 0; k < 9; ++k) std::get<0>(result)[k] = out[k].host();
  std::get<1>(result) = sorted_displacement.host();
  return result;
}

Result of_device(const Case& c) {
  return sorted_by(c, [&](const deeptf::PairList& list, const deeptf::Cuda& cuda) {
    return deeptf::CudaPairSorter(list, c.num_pairs(), cuda);
  });
}

TEST(order_and_reverse_index_are_those_of_the_cpu) {
  Case c;
  CHECK(deeptf_test::same_in_all_orders([&] { return of_device(c); }) == of_cpu(c));
  std::fill_n(c.displacement.begin() + 3 * 30, 3, NAN);  // to a virtual atom
  CHECK(of_device(c) == of_cpu(c));
  c.num_owned = 0;
  CHECK(of_device(c) == of_cpu(c));
  c.num_owned = 20;
  c.displacement = deeptf_test::normal(c.displacement.size(), 2);
  c.atom_type.assign(32, 3);
  CHECK(of_device(c) == of_cpu(c));
}

// As if those of the last type were not owned; the room is larger than what there is.
TEST(atoms_of_some_types_are_neighbours_alone) {
  const Case c;
  const int32_t last = c.num_types - 1;
  Case without = c;
  without.neighbor.clear(), without.displacement.clear(), without.row = {0};
  for (int64_t atom = 0; atom < c.num_centres(); ++atom) {
    for (int32_t k = c.row[atom]; k < c.row[atom + 1] && c.atom_type[atom] != last; ++k) {
      without.neighbor.push_back(c.neighbor[k]);
      const double* d = c.displacement.data() + 3 * k;
      without.displacement.insert(without.displacement.end(), d, d + 3);
    }
    without.row.push_back(static_cast<int32_t>(without.neighbor.size()));
  }
  auto [wanted, wanted_displacement] = of_cpu(without);
  const int64_t dropped = wanted[1][last], real = wanted[0].size() - dropped;
  CHECK(dropped > 0 && real > 0);
  wanted[0].resize(real);
  wanted[1][last] = 0;
  for (const int k : {2, 4}) wanted[k].resize(real * c.num_types);
  auto [got, displacement] = sorted_by(c, [&](const auto& list, const deeptf::Cuda& cuda) {
    return deeptf::CudaPairSorter(list, last, real, c.num_pairs() + 5, cuda);
  });
  for (const int k : {6, 7, 8}) got[k].resize(wanted[k].size());
  displacement.resize(wanted_displacement.size());
  CHECK(got == wanted && displacement == wanted_displacement);
}

TEST(nothing_in_nothing_out) {
  Case c;
  c.num_owned = 0;
  c.row = {0};
  for (auto* list : {&c.neighbor, &c.atom_type}) list->clear();
  c.displacement.clear();
  CHECK(of_device(c) == of_cpu(c));
}

TEST(unusable_input_is_named_as_on_the_cpu) {
  const auto message = [](const std::function<void(Case&)>& change, const char* part) {
    Case c;
    change(c);
    return deeptf_test::throws([&] { of_device(c); }, part);
  };
  const auto set = [](double x) {
    return [x](Case& c) { std::fill_n(c.displacement.begin() + 3 * 15, 3, x); };
  };
  const char* pair = "from atom 3 to atom 9 (pair 15)";
  CHECK(message([](Case& c) { c.num_owned = 21; }, "`num_owned` must be from 0 to the number"));
  CHECK(message([](Case& c) { c.row[0] = 1; }, "`row` must start at 0 and not decrease"));
  CHECK(message([](Case& c) { c.row[4] = -1; }, "`row` must start at 0 and not decrease"));
  CHECK(message([](Case& c) { c.row[19] = 1 << 30; }, "`row` must start at 0 and not decrease"));
  CHECK(message([](Case& c) { ++c.row[20]; }, "`row` must end at the number of pairs"));
  CHECK(message([](Case& c) { c.atom_type[31] = 4; }, "got 4 at atom 31"));
  CHECK(message([](Case& c) { c.neighbor[40] = 32; }, "below 32, got 32 at pair 40"));
  CHECK(message([](Case& c) { c.neighbor[40] = -1; }, "below 32, got -1 at pair 40"));
  for (const double x : {0.0, 5e-7, double(NAN), double(INFINITY)}) CHECK(message(set(x), pair));
}

}  // namespace
