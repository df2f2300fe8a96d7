// Models with spins on a device against those on the CPU: virtual atoms are neighbours alone, and
// what acts on them goes back to their atoms.
//
// Deliberate faults that this finds: a sum over the rows of a frame without its barrier, or over
// the first 128 of them alone (more_spins_than_threads); no cells on the way to virtual atoms
// (spins_are_those_of_the_cpu). Virtual atoms among sorted centres are found by test_pair_order.cu.
#include "engine_agree.h"

using namespace deeptf_test;

namespace {

constexpr double kLength = 0.4;

// The model of two types and more, of which the first `spins` have virtual atoms.
TableModel model_of(int real_types, int spins) {
  TableModel model;
  model.types = real_types + spins;
  model.spin_types = spins;
  return model;
}

// A system with virtual atoms, behind the real ones of a frame or, in each second frame, before
// them; with `images` some of them are an image away from their atoms.
System with_spins(const System& real, int spins, bool images) {
  System all = real;
  all.coord.clear(), all.type.clear(), all.frame_row.assign(1, 0);
  const std::vector<double> away = normal(real.coord.size(), 9);
  for (int f = 0; f < real.num_frames(); ++f) {
    std::vector<double> coord;
    std::vector<int32_t> type;
    for (int t = 0; t < spins; ++t) {
      for (int atom = real.frame_row[f]; atom < real.frame_row[f + 1]; ++atom) {
        if (real.type[atom] != t) continue;
        type.push_back(real.num_types + t);
        for (int k = 0; k < 3; ++k) {
          const double image = images && atom % 3 == 0 ? real.cell[9 * f + 3 + k] : 0;
          coord.push_back(real.coord[3 * atom + k] + kLength * away[3 * atom + k] + image);
        }
      }
    }
    const auto add = [&](const std::vector<double>& x, const std::vector<int32_t>& of) {
      all.coord.insert(all.coord.end(), x.begin(), x.end());
      all.type.insert(all.type.end(), of.begin(), of.end());
    };
    if (f % 2 == 1) add(coord, type);
    const int64_t begin = real.frame_row[f], end = real.frame_row[f + 1];
    add({real.coord.begin() + 3 * begin, real.coord.begin() + 3 * end},
        {real.type.begin() + begin, real.type.begin() + end});
    if (f % 2 == 0) add(coord, type);
    all.frame_row.push_back(all.num_atoms());
  }
  all.num_types = real.num_types + spins;
  all.aparam = normal(all.type.size(), 51);
  return all;
}

template <class Given, class Owner>
bool same(const std::string& bytes, const Given& given, const Owner& owner, double tolerance) {
  Found wanted = owner.found(), got = owner.found();
  CpuModel(bytes).run(given, &wanted);
  GpuModel(bytes).run(given, &got);
  return agree(got, wanted, tolerance);
}

bool same_through_doors(TableModel model) {
  const std::string bytes = model.bytes();
  const auto spins = static_cast<int>(model.spin_types);
  const auto types = static_cast<int>(model.types) - spins;
  const System frames = with_spins(System({11, 5}, types), spins, true);
  const System alone = with_spins(System({14}, types), spins, false);
  const Lists some(alone, 0), ghosts(alone, 9);  // with virtual atoms among centres, and without
  const double tolerance = tolerance_of(model);
  return same(bytes, frames.frames(), frames, tolerance) &&
         same(bytes, alone.frames(false), alone, tolerance) &&
         same(bytes, some.list(), some, tolerance) && same(bytes, ghosts.list(), ghosts, tolerance);
}

}  // namespace

TEST(spins_are_those_of_the_cpu) {
  CHECK(same_through_doors(model_of(2, 1)));
  TableModel model = model_of(3, 2);
  model.fparam = 2;
  model.aparam = 1;
  CHECK(same_through_doors(model));
  model.radial = model.relative = model.single = true;
  model.radial_rcut = 2.5;
  CHECK(same_through_doors(model));
}

TEST(magnetic_forces_are_there) {
  TableModel model = model_of(2, 1);
  const System system = with_spins(System({11}, 2), 1, true);
  Found found = system.found();
  GpuModel(model.bytes()).run(system.frames(), &found);
  for (int32_t atom = 0; atom < system.num_atoms(); ++atom) {
    const double* force = found.force.data() + 3 * atom;
    CHECK((force[0] != 0) == (system.type[atom] >= 0));
    CHECK(system.type[atom] != 2 || found.atom_energy[atom] == 0);
  }
}

// One thread of the sum over the spins of a frame has more than one of them.
TEST(more_spins_than_threads) {
  TableModel model = model_of(1, 1);
  const System system = with_spins(System({150}, 1, 1, 2.7), 1, true);
  CHECK(same(model.bytes(), system.frames(), system, 1e-12));
}

TEST(numbers_of_spins_may_change) {
  TableModel model = model_of(2, 1);
  const std::string bytes = model.bytes();
  const CpuModel cpu(bytes);
  const GpuModel gpu(bytes);
  for (const std::vector<int>& frames :
       std::vector<std::vector<int>>{{8}, {8}, {1, 0, 9}, {3, 8, 9}, {8}, {0}, {15, 20, 3, 12}}) {
    const System system = with_spins(System(frames, 2), 1, true);
    Found wanted = system.found(), got = system.found();
    cpu.run(system.frames(), &wanted);
    gpu.run(system.frames(), &got);
    CHECK(agree(got, wanted, 1e-12));
  }
}

TEST(spins_do_not_depend_on_the_order) {
  TableModel model = model_of(2, 1);
  const GpuModel gpu(model.bytes());
  const System system = with_spins(System({9, 7}, 2), 1, true);
  same_in_all_orders([&] {
    Found got = system.found();
    gpu.run(system.frames(), &got);
    return got;
  });
}

TEST(one_result_alone) {
  TableModel model = model_of(2, 1);
  const GpuModel gpu(model.bytes());
  const System system = with_spins(System({9}, 2), 1, true);
  Found all = system.found(), some = system.found();
  gpu.run(system.frames(), &all);
  deeptf_results results{};
  results.size = sizeof results;
  results.virial = some.virial.data();
  gpu.run(system.frames(), results);
  CHECK(some.virial == all.virial);
}

TEST(spins_may_be_on_the_device) {
  TableModel model = model_of(2, 1);
  const GpuModel gpu(model.bytes());
  const System system = with_spins(System({9, 4}, 2), 1, true);
  Found wanted = system.found(), got = system.found();
  gpu.run(system.frames(), &wanted);
  const DeviceArray<double> coord(system.coord), cell(system.cell), force(system.coord.size());
  const DeviceArray<int32_t> type(system.type);
  type.host();  // waits for what was copied to the device
  deeptf_frames frames = system.frames();
  frames.coord = coord.data();
  frames.cell = cell.data();
  frames.type = type.data();
  deeptf_results results = got.results();
  results.force = force.data();
  gpu.run(frames, results);
  got.force = force.host();
  CHECK(got == wanted);
}

TEST(atoms_without_virtual_ones_are_named) {
  TableModel model = model_of(2, 1);
  const GpuModel gpu(model.bytes());
  const System whole = with_spins(System({9, 4}, 2), 1, false);
  System system = whole;
  Found found = system.found();
  const auto lacking =
      "there must be a virtual atom of type 2 for each atom of type 0, got 1 for 2";
  system.type[whole.frame_row[1]] = 1;
  CHECK(throws([&] { gpu.run(system.frames(), &found); }, std::string("frame 1: ") + lacking));
  System many = with_spins(System({15, 20, 4}, 2), 1, false);  // cut
  many.type.back() = 1;
  Found of_many = many.found();
  CHECK(throws([&] { gpu.run(many.frames(), &of_many); }, std::string("frame 2: ") + lacking));
  system.type.assign(system.type.size(), 1);
  system.type[4] = 2;
  const Lists lists(system, 3);
  Found of_lists = lists.found();
  CHECK(throws([&] { gpu.run(lists.list(), &of_lists); }, "got 1 for 0"));
  const Pairs pairs(whole, model.rcut, 2);
  Found of_pairs = pairs.found();
  CHECK(throws([&] { gpu.run(pairs.pairs(), &of_pairs); }, "got pairs, which do not say where"));
}
