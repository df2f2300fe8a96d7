// NeighborSearch against a loop over every image, serial and on threads.
#include <algorithm>
#include <tuple>

#include "check.h"
#include "core/geometry/neighbors.h"

using deeptf::Frames;
using deeptf::NeighborSearch;
using deeptf_test::close;

namespace {

struct System {
  std::vector<double> coord, cell;
  std::vector<int32_t> type, frame_row;

  Frames frames() const {
    return {static_cast<int64_t>(frame_row.size()) - 1, frame_row.data(), coord.data(), cell.data(),
            type.data()};
  }
};

struct List {
  std::vector<int32_t> row, neighbor;
  std::vector<double> displacement;
};

List search(const System& system, double rcut, const deeptf::Context& context) {
  const NeighborSearch found(system.frames(), rcut);
  List list;
  list.row.resize(system.type.size() + 1);
  const int64_t pairs = found.count(context, list.row.data());
  list.neighbor.resize(pairs);
  list.displacement.resize(3 * pairs);
  found.fill(context, list.row.data(), list.neighbor.data(), list.displacement.data());
  return list;
}

// Pairs of all atoms of a frame in images -reach..reach, in the order that NeighborSearch promises.
List brute_force(const System& system, double rcut, int reach) {
  List list;
  list.row.push_back(0);
  for (size_t frame = 0; frame + 1 < system.frame_row.size(); ++frame) {
    const double* cell = system.cell.data() + 9 * frame;
    const int most = std::any_of(cell, cell + 9, [](double x) { return x != 0; }) ? reach : 0;
    for (int32_t i = system.frame_row[frame]; i < system.frame_row[frame + 1]; ++i) {
      using Pair = std::tuple<int32_t, int32_t, int, int, int, double, double, double>;
      std::vector<Pair> found;
      for (int32_t j = system.frame_row[frame]; j < system.frame_row[frame + 1]; ++j) {
        if (system.type[i] < 0 || system.type[j] < 0) continue;
        for (int a = -most; a <= most; ++a) {
          for (int b = -most; b <= most; ++b) {
            for (int c = -most; c <= most; ++c) {
              double d[3], square = 0;
              for (int k = 0; k < 3; ++k) {
                d[k] = system.coord[3 * j + k] - system.coord[3 * i + k] + a * cell[k] +
                       b * cell[3 + k] + c * cell[6 + k];
                square += d[k] * d[k];
              }
              const bool itself = i == j && a == 0 && b == 0 && c == 0;
              if (square < rcut * rcut && !itself) {
                found.emplace_back(system.type[j], j, a, b, c, d[0], d[1], d[2]);
              }
            }
          }
        }
      }
      std::sort(found.begin(), found.end());
      for (const Pair& pair : found) {
        list.neighbor.push_back(std::get<1>(pair));
        list.displacement.insert(list.displacement.end(),
                                 {std::get<5>(pair), std::get<6>(pair), std::get<7>(pair)});
      }
      list.row.push_back(static_cast<int32_t>(list.neighbor.size()));
    }
  }
  return list;
}

// Frames: no cell, a cube, an oblique left-handed cell; atoms partly outside; one virtual atom.
System mixed_system() {
  System system;
  system.frame_row = {0, 9, 9, 22, 37};
  system.cell.assign(36, 0.0);
  for (int k = 0; k < 3; ++k) system.cell[9 + 4 * k] = 5.0;
  for (int k = 0; k < 3; ++k) system.cell[18 + 4 * k] = 5.0;
  const double oblique[9] = {4.5, 0.2, 0.1, 2.0, 5.0, -0.3, -1.0, 2.0, -6.0};
  std::copy(oblique, oblique + 9, system.cell.begin() + 27);
  for (double value : deeptf_test::normal(3 * 37, 1)) system.coord.push_back(3 * value);
  for (int atom = 0; atom < 37; ++atom) system.type.push_back(atom % 3);
  system.type[12] = -1;
  return system;
}

bool same(const List& a, const List& b, double tolerance) {
  if (a.row != b.row || a.neighbor != b.neighbor) return false;
  for (size_t k = 0; k < a.displacement.size(); ++k) {
    if (!close(a.displacement[k], b.displacement[k], tolerance)) return false;
  }
  return true;
}

}  // namespace

TEST(same_as_brute_force) {
  const System system = mixed_system();
  for (const double rcut : {0.7, 2.5, 6.0}) {
    const List list = search(system, rcut, deeptf_test::serial());
    CHECK(same(list, brute_force(system, rcut, 8), 1e-12));
  }
}

// What find() gives for slots of blocks of so many, by atom and in the order of the list.
List find_in_blocks(const System& system, double rcut, int64_t block) {
  const NeighborSearch search(system.frames(), rcut);
  using Pair = std::tuple<int32_t, double, double, double>;
  std::vector<std::vector<Pair>> of_atom(system.type.size());
  deeptf::PairsOfSlots found;
  for (int64_t first = 0; first < search.num_slots(); first += block) {
    const int64_t end = std::min(first + block, search.num_slots());
    search.find(first, end, &found);
    for (int64_t slot = first; slot < end; ++slot) {
      for (int32_t k = found.row[slot - first]; k < found.row[slot - first + 1]; ++k) {
        const double* d = found.displacement.data() + 3 * k;
        of_atom[search.atom_of_slot()[slot]].emplace_back(found.neighbor[k], d[0], d[1], d[2]);
      }
    }
  }
  List list;
  list.row.push_back(0);
  for (std::vector<Pair>& pairs : of_atom) {
    std::sort(pairs.begin(), pairs.end());
    for (const auto& [neighbor, x, y, z] : pairs) {
      list.neighbor.push_back(neighbor);
      list.displacement.insert(list.displacement.end(), {x, y, z});
    }
    list.row.push_back(static_cast<int32_t>(list.neighbor.size()));
  }
  return list;
}

TEST(blocks_of_slots_have_the_pairs_of_the_list) {
  const System system = mixed_system();
  System plain = system;  // one type, so that the list is sorted by index
  for (int32_t& type : plain.type) type = std::min(type, 0);
  for (const double rcut : {0.7, 6.0}) {
    const List whole = find_in_blocks(plain, rcut, 1000);
    CHECK(same(whole, find_in_blocks(plain, rcut, 5), 0));
    const List list = search(plain, rcut, deeptf_test::serial());
    CHECK(whole.row == list.row);
    CHECK(whole.neighbor == list.neighbor);
  }
}

TEST(atoms_on_top_of_each_other_are_found_in_blocks_too) {
  System system = mixed_system();
  std::copy(system.coord.begin() + 66, system.coord.begin() + 69, system.coord.begin() + 90);
  CHECK(deeptf_test::throws([&] { find_in_blocks(system, 3.0, 4); }, "atoms 0 and 8 of frame 3"));
}

TEST(threads_do_not_change_bits) {
  const System system = mixed_system();
  const List one = search(system, 4.0, deeptf_test::serial());
  const List three = search(system, 4.0, deeptf_test::threaded());
  CHECK(same(one, three, 0));
}

TEST(nothing_in_nothing_out) {
  System system;
  system.frame_row = {0};
  CHECK(search(system, 3.0, deeptf_test::serial()).neighbor.empty());
  system.frame_row = {0, 0};
  system.cell.assign(9, 0.0);
  CHECK(search(system, 3.0, deeptf_test::threaded()).neighbor.empty());
}

TEST(extreme_places_and_cells_stay_in_bounds) {
  System system;
  system.frame_row = {0, 3};
  system.type = {0, 0, 0};
  system.cell = {1e5, 0, 0, 0, 0.1, 0, 0, 0, 3};
  system.coord = {0, 0, 0, 9.9e8 + 500, -9.9e8, 9.9e8, 1e5 - 1e-11, 0.05, 3 - 1e-16};
  const List list = search(system, 2.0, deeptf_test::threaded());
  CHECK(list.row[3] > 100);
  system.cell.assign(9, 0.0);
  CHECK(search(system, 2.0, deeptf_test::serial()).neighbor.empty());
}

TEST(unusable_input_is_named) {
  const auto message = [](const System& system, const char* part) {
    return deeptf_test::throws([&] { search(system, 3.0, deeptf_test::threaded()); }, part);
  };
  System system = mixed_system();
  system.coord[3 * 10 + 1] = NAN;
  CHECK(message(system, "in frame 2, atom 1"));
  system = mixed_system();
  std::copy(system.coord.begin() + 66, system.coord.begin() + 69, system.coord.begin() + 90);
  CHECK(message(system, "atoms 0 and 8 of frame 3"));
  system = mixed_system();
  std::copy(system.cell.begin() + 27, system.cell.begin() + 30, system.cell.begin() + 30);
  CHECK(message(system, "`cell` must have a volume"));
  system = mixed_system();
  for (int k = 0; k < 3; ++k) system.cell[9 + k] *= 1e-4;
  CHECK(message(system, "`cell` must be thicker than rcut/500"));
  for (const double rcut : std::vector<double>{0.0, -1.0, 1e9, 1e300, NAN}) {
    const auto run = [&] { search(mixed_system(), rcut, deeptf_test::serial()); };
    CHECK(deeptf_test::throws(run, "`rcut` must be positive and below 1e9 A"));
  }
}
