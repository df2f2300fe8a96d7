// Pairs against the CPU's, bit for bit: liquids, oblique cells smaller than the cut-off, molecules
// without a cell, virtual atoms, many frames at once; and what the CPU refuses.
#include <random>
#include <tuple>

#include "compare.h"
#include "core/cuda/neighbors.h"
#include "device_array.h"

using deeptf_test::DeviceArray;

namespace {

struct Batch {
  std::vector<int32_t> frame_row{0}, atom_type;
  std::vector<double> coord, cell;

  // Atoms at random in and around a cell; all zeros: in a box without a cell.
  void add(int64_t atoms, const std::vector<double>& vectors, unsigned seed) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(-0.3, 1.2);
    const bool periodic = vectors[0] != 0;
    for (int64_t k = 0; k < atoms; ++k) {
      const double f[3] = {draw(engine), draw(engine), draw(engine)};
      for (int j = 0; j < 3; ++j) {
        coord.push_back(periodic ? f[0] * vectors[j] + f[1] * vectors[3 + j] + f[2] * vectors[6 + j]
                                 : 8 * f[j]);
      }
      atom_type.push_back(k % 11 == 10 ? -1 : static_cast<int32_t>(k % 3));
    }
    cell.insert(cell.end(), vectors.begin(), vectors.end());
    frame_row.push_back(static_cast<int32_t>(atom_type.size()));
  }
  int64_t num_frames() const { return static_cast<int64_t>(frame_row.size()) - 1; }
  int64_t num_atoms() const { return static_cast<int64_t>(atom_type.size()); }
};

Batch mixed() {
  Batch batch;
  batch.add(40, {8.1, 0, 0, 0, 8.1, 0, 0, 0, 8.1}, 1);
  batch.add(3, {3.1, 0, 0, 1.0, 2.9, 0, -0.8, 0.4, 3.3}, 2);
  batch.add(13, std::vector<double>(9, 0.0), 3);
  batch.add(0, std::vector<double>(9, 0.0), 4);
  batch.add(1, {4.0, 0, 0, 0, 4.0, 0, 0, 0, 4.0}, 5);
  batch.add(30, {14, 0, 0, 4, 13, 0, 2, -3, 16}, 6);
  return batch;
}

// row, neighbor, displacement
using Pairs = std::tuple<std::vector<int32_t>, std::vector<int32_t>, std::vector<double>>;

Pairs pairs_of_cpu(const Batch& batch, double rcut) {
  const deeptf::NeighborSearch search(
      {batch.num_frames(), batch.frame_row.data(), batch.coord.data(), batch.cell.data(),
       batch.atom_type.data()},
      rcut);
  std::vector<int32_t> row(batch.num_atoms() + 1);
  std::vector<int32_t> neighbor(search.count(deeptf_test::serial(), row.data()));
  std::vector<double> displacement(3 * neighbor.size());
  search.fill(deeptf_test::serial(), row.data(), neighbor.data(), displacement.data());
  return {row, neighbor, displacement};
}

Pairs pairs_of_device(const Batch& batch, double rcut, int32_t num_centre_types = INT32_MAX) {
  deeptf_test::TestDevice device;
  const DeviceArray<int32_t> frame_row(batch.frame_row), atom_type(batch.atom_type),
      row(batch.num_atoms() + 1);
  const DeviceArray<double> coord(batch.coord), cell(batch.cell);
  deeptf::CudaNeighborSearch search(
      {batch.num_frames(), frame_row.data(), coord.data(), cell.data(), atom_type.data()},
      batch.num_atoms(), rcut, device.cuda(), num_centre_types);
  const int64_t count = search.count(row.data());
  const DeviceArray<int32_t> neighbor(count);
  const DeviceArray<double> displacement(3 * count);
  search.fill(row.data(), count, neighbor.data(), displacement.data());
  return {row.host(), neighbor.host(), displacement.host()};
}

TEST(pairs_are_those_of_the_cpu) {
  const Batch batch = mixed();
  for (const double rcut : {2.0, 5.0}) {
    const Pairs got = deeptf_test::same_in_all_orders([&] { return pairs_of_device(batch, rcut); });
    CHECK(std::get<1>(got).size() > 20);
    CHECK(got == pairs_of_cpu(batch, rcut));
  }
}

TEST(atoms_of_some_types_are_neighbours_alone) {
  const Batch batch = mixed();
  const auto all = pairs_of_cpu(batch, 5);
  const auto& [row, neighbor, displacement] = all;
  std::vector<int32_t> own_row{0}, own;
  std::vector<double> own_displacement;
  for (int64_t atom = 0; atom < batch.num_atoms(); ++atom) {
    if (batch.atom_type[atom] < 1) {
      own.insert(own.end(), neighbor.begin() + row[atom], neighbor.begin() + row[atom + 1]);
      own_displacement.insert(own_displacement.end(), displacement.begin() + 3 * row[atom],
                              displacement.begin() + 3 * row[atom + 1]);
    }
    own_row.push_back(static_cast<int32_t>(own.size()));
  }
  CHECK(!own.empty() && own.size() < neighbor.size());
  CHECK(pairs_of_device(batch, 5, 1) == Pairs(own_row, own, own_displacement));
}

TEST(nothing_in_nothing_out) {
  Batch batch;
  CHECK(pairs_of_device(batch, 3) == pairs_of_cpu(batch, 3));
  batch.add(0, std::vector<double>(9, 0.0), 1);
  CHECK(pairs_of_device(batch, 3) == pairs_of_cpu(batch, 3));
}

TEST(extreme_places_and_cells_stay_in_bounds) {
  Batch batch;
  batch.add(3, {1e5, 0, 0, 0, 0.1, 0, 0, 0, 3}, 1);
  batch.coord = {0, 0, 0, 9.9e8 + 500, -9.9e8, 9.9e8, 1e5 - 1e-11, 0.05, 3 - 1e-16};
  CHECK(pairs_of_device(batch, 2) == pairs_of_cpu(batch, 2));
  batch.cell.assign(9, 0.0);
  CHECK(pairs_of_device(batch, 2) == pairs_of_cpu(batch, 2));
}

TEST(unusable_input_is_named_as_on_the_cpu) {
  Batch small;
  small.add(5, {8.1, 0, 0, 0, 8.1, 0, 0, 0, 8.1}, 1);
  small.add(4, std::vector<double>(9, 0.0), 2);
  const auto message = [&](const std::function<void(Batch&)>& change, const char* part) {
    Batch batch = small;
    change(batch);
    return deeptf_test::throws([&] { pairs_of_device(batch, 4); }, part);
  };
  const auto on_top = [](Batch& b) { std::copy_n(b.coord.begin(), 3, b.coord.begin() + 9); };
  const auto flat = [](Batch& b) { std::copy_n(b.cell.begin(), 3, b.cell.begin() + 3); };
  const auto thin = [](Batch& b) { b.cell[4] *= 1e-4; };
  CHECK(message(on_top, "got atoms 0 and 3 of frame 0 on top of each other"));
  CHECK(message([](Batch& b) { b.coord[3 * 6] = NAN; }, "got nan in frame 1, atom 1"));
  CHECK(message([](Batch& b) { b.coord[0] = 1e9; }, "`coord` must be finite and below 1e9 A"));
  CHECK(message(flat, "`cell` must have a volume (or be all zeros for no cell), got 0.000000"));
  CHECK(message(thin, "`cell` must be thicker than rcut/500"));
  CHECK(message([](Batch& b) { b.frame_row[1] = 10; }, "`frame_row` must not decrease, got 9"));
  CHECK(message([](Batch& b) { b.frame_row[0] = 1; }, "`frame_row` must go from 0 to the number"));
  CHECK(message([](Batch& b) { b.frame_row[2] = 8; }, "of atoms 9, got 0 to 8"));
  for (const double rcut : {0.0, -1.0, 1e9, double(NAN)}) {
    const auto run = [&] { pairs_of_device(small, rcut); };
    CHECK(deeptf_test::throws(run, "`rcut` must be positive and below 1e9 A"));
  }
}

}  // namespace
