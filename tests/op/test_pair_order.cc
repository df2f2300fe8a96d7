// PairSorter: order and counts of a small list with a ghost, a virtual atom and an absent type.
#include <algorithm>

#include "check.h"
#include "core/geometry/pair_order.h"

using deeptf::PairList;
using deeptf::PairSorter;
using deeptf::Scratch;

namespace {

const std::vector<int32_t> kRow{0, 3, 4, 6, 7};
const std::vector<int32_t> kNeighbor{2, 1, 4, 0, 3, 0, 1};
const std::vector<int32_t> kType{2, 0, 2, -1, 0};  // atom 3 is virtual, atom 4 a ghost

PairList list_of(const std::vector<int32_t>& row, const std::vector<int32_t>& neighbor,
                 const std::vector<int32_t>& type, const std::vector<double>& displacement) {
  const auto centres = static_cast<int64_t>(row.size()) - 1;
  return {centres,
          centres,
          static_cast<int64_t>(type.size()),
          3,
          row.data(),
          neighbor.data(),
          displacement.data(),
          type.data()};
}

bool same(const Scratch<int32_t>& got, const std::vector<int32_t>& want) {
  return std::vector<int32_t>(got.begin(), got.end()) == want;
}

}  // namespace

TEST(blocks_by_neighbor_type_then_centre_type) {
  const std::vector<double> displacement = deeptf_test::normal(21, 1);
  for (const auto& context : {deeptf_test::serial(), deeptf_test::threaded()}) {
    PairSorter sorter(list_of(kRow, kNeighbor, kType, displacement), context);
    CHECK(same(sorter.atom_order(), {1, 0, 2}));
    CHECK(same(sorter.atom_count(), {1, 0, 2}));
    CHECK(same(sorter.neighbor_count(), {0, 0, 1, 2, 0, 1, 0, 0, 1}));
    CHECK(same(sorter.pair_count(), {0, 0, 2, 0, 0, 0, 1, 0, 2}));
    CHECK(sorter.num_sorted() == 5);
    CHECK(same(sorter.first_pair(), {0, 2, 2, 0, 2, 3, 2, 2, 4}));
    CHECK(same(sorter.pair_row(), {0, 2, 3, 4, 4, 5}));
    std::vector<int32_t> centre(5), neighbor(5), pair_of(5);
    std::vector<double> sorted(15);
    sorter.fill(context, {centre.data(), neighbor.data(), sorted.data(), pair_of.data()});
    CHECK((pair_of == std::vector<int32_t>{2, 4, 0, 3, 1}));
    CHECK((centre == std::vector<int32_t>{0, 0, 1, 0, 2}));
    CHECK((neighbor == std::vector<int32_t>{1, 4, 0, 2, 0}));
    const int origin[5] = {1, 2, 3, 0, 5};
    for (int pair = 0; pair < 5; ++pair) {
      for (int k = 0; k < 3; ++k) {
        CHECK(sorted[3 * pair + k] == displacement[3 * origin[pair] + k]);
      }
    }
  }
}

TEST(displacements_without_a_direction_are_named) {
  for (const double value : std::vector<double>{0.0, 5e-7, NAN, INFINITY}) {
    std::vector<double> displacement(21, 1.0), sorted(15);
    std::vector<int32_t> centre(5), neighbor(5), pair_of(5);
    const auto fill = [&] {
      PairSorter sorter(list_of(kRow, kNeighbor, kType, displacement), deeptf_test::serial());
      sorter.fill(deeptf_test::threaded(),
                  {centre.data(), neighbor.data(), sorted.data(), pair_of.data()});
    };
    std::fill_n(displacement.begin() + 3 * 4, 3, value);  // to the virtual atom
    std::fill_n(displacement.begin() + 3 * 6, 3, value);  // from it
    fill();
    std::fill_n(displacement.begin() + 3 * 5, 3, value);
    CHECK(deeptf_test::throws(fill, "from atom 2 to atom 0 (pair 5)"));
    std::fill_n(displacement.begin() + 3 * 2, 3, value);
    CHECK(deeptf_test::throws(fill, "from atom 0 to atom 4 (pair 2)"));
  }
}

TEST(centres_that_are_not_owned_are_neighbors_only) {
  const std::vector<double> displacement = deeptf_test::normal(21, 1);
  PairList list = list_of(kRow, kNeighbor, kType, displacement);
  list.num_owned = 2;
  PairSorter sorter(list, deeptf_test::threaded());
  CHECK(same(sorter.atom_order(), {1, 0}));
  CHECK(same(sorter.pair_row(), {0, 1, 2, 3, 3, 4}));
  std::vector<int32_t> centre(4), neighbor(4), pair_of(4);
  std::vector<double> sorted(12);
  sorter.fill(deeptf_test::threaded(),
              {centre.data(), neighbor.data(), sorted.data(), pair_of.data()});
  CHECK((centre == std::vector<int32_t>{0, 0, 1, 0}));
  CHECK((neighbor == std::vector<int32_t>{1, 4, 0, 2}));
  CHECK((pair_of == std::vector<int32_t>{2, 0, 3, 1}));
  for (const int64_t wrong : {-1, 5}) {
    list.num_owned = wrong;
    CHECK(deeptf_test::throws([&] { PairSorter(list, deeptf_test::serial()); },
                              "from 0 to the number of centres 4, got " + std::to_string(wrong)));
  }
}

TEST(empty_list) {
  PairSorter sorter(list_of({0}, {}, {}, {}), deeptf_test::threaded());
  CHECK(sorter.num_sorted() == 0 && sorter.atom_order().size() == 0);
  CHECK(same(sorter.pair_row(), {0}));
  sorter.fill(deeptf_test::threaded(), {});
}

TEST(wrong_indices_are_named) {
  const std::vector<double> displacement(21, 1.0);
  const auto message = [&](std::vector<int32_t> row, std::vector<int32_t> neighbor,
                           std::vector<int32_t> type, const char* part) {
    return deeptf_test::throws(
        [&] { PairSorter(list_of(row, neighbor, type, displacement), deeptf_test::threaded()); },
        part);
  };
  CHECK(message({0, 3, 2, 6, 7}, kNeighbor, kType, "`row` must start at 0 and not decrease"));
  CHECK(message({1, 3, 4, 6, 7}, kNeighbor, kType, "`row` must start at 0"));
  CHECK(message({7}, kNeighbor, kType, "`row` must start at 0"));
  CHECK(message(kRow, {2, 1, 5, 0, 3, 0, 1}, kType, "got 5 at pair 2"));
  CHECK(message(kRow, {2, -1, 4, 0, 3, 0, 1}, kType, "got -1 at pair 1"));
  CHECK(message(kRow, kNeighbor, {2, 0, 3, 0, 0}, "got 3 at atom 2"));
}
