// The engine on a device against the engine on the CPU: kinds of models, doors, sizes that change,
// threads, and what is refused.
#include <thread>

#include "engine_case.h"
#include "kind_models.h"

using namespace deeptf_test;

namespace {

double tolerance_of(const ModelBytes& model) { return model.single ? 1e-5 : 1e-12; }

// Whether a model gives the same on both through all doors.
template <class Model>
bool agree_everywhere(Model model, const System& system) {
  const std::string bytes = model.bytes();
  const CpuModel cpu(bytes);
  const GpuModel gpu(bytes);
  const auto same = [&](const auto& given, const auto& owner) {
    for (const bool with_weights : {false, true}) {
      Found wanted = owner.found(), got = owner.found();
      for (Found* found : {&wanted, &got}) {
        if (model.numbers > 0) found->take_values(model.numbers, with_weights);
      }
      cpu.run(given, &wanted);
      gpu.run(given, &got);
      if (!agree(got, wanted, tolerance_of(model))) return false;
      if (model.numbers == 0) break;
    }
    return true;
  };
  const Pairs pairs(system, model.rcut, 2);
  const Lists lists(system, 3);
  return same(system.frames(), system) && same(pairs.pairs(), pairs) && same(lists.list(), lists);
}

// The same through the first door, with few atoms: for what all doors have in common.
template <class Model>
bool agree_on_frames(Model model, const System& system) {
  const std::string bytes = model.bytes();
  Found wanted = system.found(), got = system.found();
  for (Found* found : {&wanted, &got}) {
    if (model.numbers > 0) found->take_values(model.numbers, true);
  }
  CpuModel(bytes).run(system.frames(), &wanted);
  GpuModel(bytes).run(system.frames(), &got);
  return agree(got, wanted, tolerance_of(model));
}

System few_atoms(int types = 2) { return System({11, 3}, types); }

System single_frame(int types = 2) { return System({20}, types); }

}  // namespace

TEST(angular_models_are_those_of_the_cpu) {
  TableModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.single = true;
  CHECK(agree_everywhere(model, single_frame()));
  model.single = false;
  model.types = 3;
  model.width = 21;
  model.idt = true;
  model.neuron = {7, 7, 7};
  CHECK(agree_everywhere(model, single_frame(3)));
}

TEST(radial_models_are_those_of_the_cpu) {
  TableModel model;
  model.angular = false;
  model.radial = true;
  CHECK(agree_everywhere(model, single_frame()));
  model.single = true;
  CHECK(agree_everywhere(model, single_frame()));
}

TEST(two_descriptors_within_their_cut_offs) {
  TableModel model;
  model.radial = true;
  CHECK(agree_everywhere(model, single_frame()));
  model.radial_rcut = 2.5;
  CHECK(agree_everywhere(model, single_frame()));
  model.single = true;
  CHECK(agree_everywhere(model, single_frame()));
}

TEST(parameters_of_frames_and_atoms) {
  TableModel model;
  model.fparam = 2;
  model.aparam = 1;
  CHECK(agree_everywhere(model, single_frame()));
  model.relative = true;
  CHECK(agree_everywhere(model, single_frame()));
  const System frames({5, 9, 3}, 2);
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  Found wanted = frames.found(), got = frames.found();
  cpu.run(frames.frames(), &wanted);
  gpu.run(frames.frames(), &got);
  CHECK(agree(got, wanted, 1e-12));
}

TEST(one_net_for_all_types) {
  TableModel model;
  model.one_net = true;
  CHECK(agree_everywhere(model, single_frame()));
  model.relative = true;
  model.single = true;
  CHECK(agree_everywhere(model, single_frame()));
}

TEST(gates_of_types) {
  GatedModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.fade = false;
  CHECK(agree_on_frames(model, few_atoms()));
  model.types = 3;
  model.width = 21;
  model.fade = model.single = true;
  CHECK(agree_on_frames(model, few_atoms(3)));
}

TEST(nets_in_place_of_tables) {
  NetworkModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.columns = 1;
  CHECK(agree_on_frames(model, few_atoms()));
  model.columns = 4;
  model.types = 3;
  model.left_out = 4;
  model.idt = model.single = true;
  CHECK(agree_on_frames(model, few_atoms(3)));
  model.alike = true;
  model.idt = model.single = false;
  CHECK(agree_on_frames(model, few_atoms(3)));
  model.gated = true;
  model.width = 42;
  CHECK(agree_on_frames(model, few_atoms(3)));
}

TEST(attention_between_pairs) {
  AttentionModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.gated = model.dotr = false;
  CHECK(agree_on_frames(model, few_atoms()));
  model.types = 3;
  model.smooth = model.diagonal = false;
  model.dotr = true;
  model.width = 36;
  CHECK(agree_on_frames(model, few_atoms(3)));
  model.gated = true;
  model.layers = 0;
  model.left_out = 4;
  CHECK(agree_on_frames(model, few_atoms(3)));
  model.layers = 3;
  model.smooth = model.single = true;
  CHECK(agree_on_frames(model, few_atoms(3)));
  model.types = 1;
  CHECK(agree_on_frames(model, System({3}, 1, 1, 1.3)));  // more pairs of a type than lanes
}

TEST(two_neighbours_at_a_time) {
  TripleModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.bent = true;
  CHECK(agree_on_frames(model, few_atoms()));
  model.types = 3;
  model.width = 21;
  model.single = true;
  model.data_end = 1;
  CHECK(agree_on_frames(model, few_atoms(3)));
}

TEST(nets_of_two_neighbours_at_a_time) {
  TripleNetworkModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.types = 3;
  model.width = 42;
  model.single = true;
  CHECK(agree_on_frames(model, few_atoms(3)));
}

TEST(energies_of_pairs_beside_nets) {
  BlendedModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.types = 3;
  CHECK(agree_on_frames(model, few_atoms(3)));
}

TEST(nearest_neighbours_in_local_axes) {
  LocalFramesModel model;
  CHECK(agree_everywhere(model, single_frame()));
  model.types = 3;
  model.single = true;
  CHECK(agree_on_frames(model, few_atoms(3)));
}

TEST(atoms_without_a_local_frame_are_named) {
  const System system({11, 3}, 2);
  Found found = system.found();
  const auto message = [&](LocalFramesModel model, const System& atoms) {
    const GpuModel gpu(model.bytes());
    try {
      gpu.run(atoms.frames(), &found);
    } catch (const deeptf::Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  LocalFramesModel model;
  CHECK(message(model, system) == "none");
  model.rank = 7;
  CHECK(message(model, system) == "atom 0: no second axis of type 0");
  CHECK(message(model, System({11, 3}, 2, 1, 30)) == "atom 0: no first axis of type 0");
}

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

TEST(charges_act_on_all_others) {
  ChargedModel model;
  const System system({11, 1, 5}, 2);
  CHECK(agree_on_frames(model, system));
  model.types = 3;
  model.chosen = {true, false, false};
  model.fparam = 2;
  const System lonely({9}, 3);
  const Lists lists(lonely, 2), none(lonely, 8);
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  for (const Lists* one : {&lists, &none}) {
    Found wanted = one->found(), got = one->found();
    cpu.run(one->list(), &wanted);
    gpu.run(one->list(), &got);
    CHECK(agree(got, wanted, 1e-12));
  }
  const Pairs pairs(lonely, model.rcut, 2);
  Found found = pairs.found();
  CHECK(throws([&] { gpu.run(pairs.pairs(), &found); }, "a cell, got pairs: its charges act"));
  Found of_frames = lonely.found();
  CHECK(throws([&] { gpu.run(lonely.frames(false), &of_frames); }, "frame 0: `cell`"));
}

TEST(charges_of_many_frames_are_cut) {
  ChargedModel model;
  model.single = true;
  System system({15, 20, 14, 3}, 2);
  CHECK(agree_on_frames(model, system));
  std::fill_n(system.cell.begin() + 27, 9, 0.0);
  Found found = system.found();
  CHECK(throws([&] { GpuModel(model.bytes()).run(system.frames(), &found); }, "frame 3: `cell`"));
}

TEST(charges_that_are_shared_out) {
  ChargedModel model;
  const std::string bytes = model.bytes();
  const CpuModel cpu(bytes);
  const GpuModel gpu(bytes);
  int calls = 0;
  // As if there were another part like this one.
  const deeptf_add_parts twice = [](void* parts, double* values, int64_t count) {
    ++*static_cast<int*>(parts);
    for (int64_t k = 0; k < count; ++k) values[k] *= 2;
  };
  for (const double apart : {30.0, 2.0, 1.4, 2.0}) {  // room for pairs is found more than once
    const System system({9, 4}, 2, 1, apart);
    Found wanted = system.found(), got = system.found();
    wanted.add_parts = got.add_parts = twice;
    wanted.parts = got.parts = &calls;
    cpu.run(system.frames(), &wanted);
    calls = 0;
    gpu.run(system.frames(), &got);
    CHECK(calls == 2);
    CHECK(agree(got, wanted, 1e-12));
  }
  const System system({6}, 2);
  const Lists none(system, 5);
  Found wanted = none.found(), got = none.found();
  wanted.add_parts = got.add_parts = twice;
  wanted.parts = got.parts = &calls;
  cpu.run(none.list(), &wanted);
  gpu.run(none.list(), &got);
  CHECK(agree(got, wanted, 1e-12));
}

TEST(vectors_and_tensors_of_atoms) {
  PropertyModel vectors("dipole", 3);
  vectors.fparam = 2;
  CHECK(agree_everywhere(vectors, single_frame()));
  vectors.single = vectors.idt = true;
  vectors.chosen = {false, true};
  CHECK(agree_on_frames(vectors, few_atoms()));
  PropertyModel tensors("polar", 9);
  CHECK(agree_everywhere(tensors, single_frame()));
  tensors.diagonal = false;
  CHECK(agree_on_frames(tensors, few_atoms()));
  tensors.one_net = tensors.single = true;
  tensors.types = 3;
  tensors.chosen = {true, false, true};
  CHECK(agree_on_frames(tensors, few_atoms(3)));
}

TEST(any_numbers_of_atoms) {
  PropertyModel model("dos", 13);
  model.chosen = {true, false};
  CHECK(agree_everywhere(model, single_frame()));
  model.neuron.clear();
  model.aparam = 1;
  CHECK(agree_on_frames(model, few_atoms()));
}

TEST(values_of_frames_that_are_cut) {
  PropertyModel model("dipole", 3);
  model.idt = true;
  CHECK(agree_on_frames(model, System({15, 20, 14, 3}, 2)));
}

TEST(pairs_beyond_the_data_are_counted) {
  TableModel model;
  model.data_end = 1;
  const System system = single_frame();
  const GpuModel gpu(model.bytes());
  Found got = system.found();
  gpu.run(system.frames(), &got);
  CHECK(got.outside_count[0] > 0 && got.outside_distance[0] < 2);
  CHECK(agree_everywhere(model, system));
}

TEST(numbers_of_atoms_and_pairs_may_change) {
  TableModel model;
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  const auto same = [&](const System& system, bool with_cell = true) {
    Found wanted = system.found(), got = system.found();
    cpu.run(system.frames(with_cell), &wanted);
    gpu.run(system.frames(with_cell), &got);
    return agree(got, wanted, 1e-12);
  };
  CHECK(same(System({12}, 2, 1, 30)));  // isolated atoms
  CHECK(same(System({12}, 2)));
  CHECK(same(System({12}, 2, 1, 0.9)));  // far more pairs than before, and room for
  CHECK(same(System({12}, 2)));
  CHECK(same(System({1}, 2), false));
  CHECK(same(System({4, 0, 9, 1}, 2)));
  CHECK(same(System({0}, 2)));
  CHECK(same(System({}, 2)));
  for (const double apart : {30.0, 0.9, 2.0}) {
    const System system({15}, 2, 1, apart);
    const Lists lists(system, 3);
    Found wanted = lists.found(), got = lists.found();
    cpu.run(lists.list(), &wanted);
    gpu.run(lists.list(), &got);
    CHECK(agree(got, wanted, 1e-12));
  }
  System none({3}, 2);
  none.type = {-1, -1, -1};
  CHECK(same(none));
}

// Those of triples are not known before either.
template <class Model>
void check_numbers_of_few_atoms() {
  Model model;
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  for (const auto& [atoms, apart] : {std::pair(8, 30.0), std::pair(8, 2.0), std::pair(8, 1.4),
                                     std::pair(8, 2.0), std::pair(3, 2.0), std::pair(11, 2.0)}) {
    const System system({atoms}, 2, 1, apart);
    Found wanted = system.found(), got = system.found();
    cpu.run(system.frames(), &wanted);
    gpu.run(system.frames(), &got);
    CHECK(agree(got, wanted, 1e-12));
  }
}

TEST(numbers_of_triples_may_change) { check_numbers_of_few_atoms<TripleModel>(); }

TEST(numbers_of_attending_pairs_may_change) { check_numbers_of_few_atoms<AttentionModel>(); }

TEST(many_frames_are_cut) {
  TableModel model;
  model.data_end = 1;
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  System system({15, 20, 15, 14, 3, 50}, 2);  // more atoms than go together under emulation
  Found wanted = system.found(), got = system.found();
  cpu.run(system.frames(), &wanted);
  gpu.run(system.frames(), &got);
  CHECK(agree(got, wanted, 1e-12));
  std::copy_n(system.coord.begin() + 3 * 64, 3, system.coord.begin() + 3 * 66);
  CHECK(throws([&] { gpu.run(system.frames(), &got); }, "atoms 0 and 2 of frame 4"));
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
