// What the engine on a device is given and asked for: arrays and lists, atoms that are not there,
// results, threads, and what is refused.
#include <thread>

#include "engine_agree.h"

using namespace deeptf_test;

TEST(atoms_that_are_not_there) {
  TableModel model;
  model.masked = true;
  model.aparam = 1;
  System system({12, 5}, 2);
  for (size_t k = 0; k < system.aparam.size(); ++k) system.aparam[k] = k % 4 == 1 ? 0 : 1;
  std::copy_n(system.coord.begin(), 3, system.coord.begin() + 3);  // on top of another one
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  Found wanted = system.found(), got = system.found();
  cpu.run(system.frames(false), &wanted);
  gpu.run(system.frames(false), &got);
  CHECK(agree(got, wanted, 1e-12));
  CHECK(throws([&] { gpu.run(system.frames(), &got); }, "frame 0: `cell` must be zeros"));
  const Lists lists(system, 3);
  CHECK(throws([&] { gpu.run(lists.list(), &got); }, "must be given coordinates, got neighbours"));
  system.aparam[6] = 0.5;
  CHECK(throws([&] { gpu.run(system.frames(false), &got); }, "`aparam` must be 1 for an atom"));
}

TEST(results_that_are_not_wanted) {
  TableModel model;
  const GpuModel gpu(model.bytes());
  const System system = single_frame();
  Found all = system.found(), some = system.found();
  gpu.run(system.frames(), &all);
  deeptf_results results{};
  results.size = sizeof results;
  gpu.run(system.frames(), results);
  results.energy = some.energy.data();
  gpu.run(system.frames(), results);
  CHECK(some.energy == all.energy);
  results.atom_virial = some.atom_virial.data();
  results.energy = nullptr;
  gpu.run(system.frames(), results);
  CHECK(some.atom_virial == all.atom_virial && some.force[0] == Found::kUnset);
}

TEST(arrays_may_be_on_the_device) {
  TableModel model;
  model.aparam = 1;
  const GpuModel gpu(model.bytes());
  const System system({9, 12}, 2);
  Found wanted = system.found();
  gpu.run(system.frames(), &wanted);
  const DeviceArray<double> coord(system.coord), cell(system.cell), aparam(system.aparam),
      energy(2), force(3 * system.num_atoms()), virial(18), atom_energy(system.num_atoms()),
      atom_virial(9 * system.num_atoms());
  const DeviceArray<int32_t> type(system.type), row(system.frame_row);
  row.host();  // waits for what was copied to the device
  deeptf_frames frames = system.frames();
  frames.coord = coord.data();
  frames.cell = cell.data();
  frames.type = type.data();
  frames.frame_row = row.data();
  frames.aparam = aparam.data();
  deeptf_results results{};
  results.size = sizeof results;
  results.energy = energy.data();
  results.force = force.data();
  results.virial = virial.data();
  results.atom_energy = atom_energy.data();
  results.atom_virial = atom_virial.data();
  gpu.run(frames, results);
  CHECK(energy.host() == wanted.energy && force.host() == wanted.force);
  CHECK(virial.host() == wanted.virial && atom_energy.host() == wanted.atom_energy);
  CHECK(atom_virial.host() == wanted.atom_virial);
}

TEST(results_do_not_depend_on_the_order) {
  TableModel model;
  model.radial = true;
  model.radial_rcut = 2.5;
  const GpuModel gpu(model.bytes());
  const System system = single_frame();
  same_in_all_orders([&] {
    Found got = system.found();
    gpu.run(system.frames(), &got);
    return got;
  });
  const Lists lists(system, 3);
  same_in_all_orders([&] {
    Found got = lists.found();
    gpu.run(lists.list(), &got);
    return got;
  });
}

TEST(lists_stay_where_their_number_stays) {
  TableModel model;
  const GpuModel gpu(model.bytes());
  const System system = single_frame();
  Lists lists(system, 3);
  Found first = lists.found(), kept = lists.found(), fresh = lists.found();
  gpu.run(lists.list(5), &first);
  lists.number.assign(lists.number.size(), 0);
  gpu.run(lists.list(5), &kept);
  CHECK(kept == first);
  gpu.run(lists.list(6), &fresh);
  CHECK(fresh.force == std::vector<double>(fresh.force.size(), 0.0));
  gpu.run(lists.list(), &fresh);
  CHECK(fresh.force == std::vector<double>(fresh.force.size(), 0.0));
}

TEST(threads_and_models_do_not_disturb_each_other) {
  TableModel model, other;
  other.single = true;
  const GpuModel first(model.bytes()), second(other.bytes());
  const System small({6}, 2), large({14}, 2, 5);
  Found wanted[2][2] = {{small.found(), large.found()}, {small.found(), large.found()}};
  for (int k = 0; k < 4; ++k) {
    (k / 2 == 0 ? first : second).run((k % 2 == 0 ? small : large).frames(), &wanted[k / 2][k % 2]);
  }
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) {
    threads.emplace_back([&, k] {
      const System& system = k % 2 == 0 ? small : large;
      Found got = system.found();
      for (int repeat = 0; repeat < 2; ++repeat) {
        (k / 2 == 0 ? first : second).run(system.frames(), &got);
        CHECK(got == wanted[k / 2][k % 2]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(what_is_wrong_is_said_as_on_the_cpu) {
  TableModel model;
  const GpuModel gpu(model.bytes());
  System system = single_frame();
  Found found = system.found();
  gpu.run(system.frames(), &found);
  const auto frames = [&] { gpu.run(system.frames(), &found); };
  system.type[3] = 9;
  CHECK(throws(frames, "`type` must be below the 2 types of the model, got 9 for atom 3"));
  system.type[3] = 1;
  system.coord[6] = NAN;
  CHECK(throws(frames, "got nan in frame 0, atom 2"));
  system.coord[6] = 1e9;
  CHECK(throws(frames, "`coord` must be finite and below 1e9 A"));
  std::copy_n(system.coord.begin(), 3, system.coord.begin() + 6);
  CHECK(throws(frames, "atoms 0 and 2 of frame 0"));
  Lists lists(system, 3);
  std::vector<int64_t> id(system.num_atoms(), 70);
  Found of_lists = lists.found();
  const auto listed = [&] {
    deeptf_neighbor_list list = lists.list();
    list.id = id.data();
    gpu.run(list, &of_lists);
  };
  CHECK(throws(listed, "from atom 70 to atom 70"));
  system = single_frame();
  lists.lists[4][5] = 21;
  CHECK(
      throws(listed, "`neighbors` must be atoms below num_all 20, got 21 in the list of atom 12"));
  lists.centre[3] = lists.centre[1];
  CHECK(throws(listed, "`centre` must have each atom once, got atom 15 in lists 1 and 3"));
  Pairs pairs(system, model.rcut, 2);
  Found of_pairs = pairs.found();
  const auto paired = [&] { gpu.run(pairs.pairs(), &of_pairs); };
  pairs.neighbor[8] = -2;
  CHECK(throws(paired, "`neighbor` must be atoms below num_all 20, got -2 in pair 8"));
  pairs.row[2] = pairs.row[1] - 1;
  CHECK(throws(paired, "`row` must ascend from 0"));
  frames();  // and it goes on
}

TEST(models_without_kernels_are_refused) {
  TableModel model;
  model.kernel = "weather_forecast";
  CHECK(throws([&] { GpuModel gpu(model.bytes()); },
               "must be made of stages with kernels for GPUs, got one with weather_forecast"));
  TableModel wide;
  wide.width = 300;
  CHECK(throws([&] { GpuModel gpu(wide.bytes()); }, "must be at most 256 on a GPU, got 300"));
}
