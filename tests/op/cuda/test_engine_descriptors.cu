// Descriptors of models on a device against those on the CPU, and atoms that lack one.
#include "engine_agree.h"

using namespace deeptf_test;

namespace {

// What a model says that refuses atoms; "none" where it takes them.
template <class Model, class Given>
std::string message_of(const Model& model, const Given& given, Found found) {
  try {
    model.run(given, &found);
  } catch (const deeptf::Error& error) {
    return error.what();
  }
  return "none";
}

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

TEST(pairs_closer_than_a_table_are_named) {
  BlendedModel model;
  model.least = 0.5;
  const CpuModel cpu(model.bytes());
  const GpuModel gpu(model.bytes());
  const auto same = [&](const auto& given, const auto& owner, const char* atoms) {
    const std::string wanted = message_of(cpu, given, owner.found());
    CHECK(wanted.find(atoms + std::string(" must be at a distance that the pair table has, got "
                                          "them 0.2 A apart, closer than 0.5 A")) == 0);
    CHECK(message_of(gpu, given, owner.found()) == wanted);
  };
  System system({11, 25, 17, 5}, 2);  // cut
  CHECK(message_of(gpu, system.frames(), system.found()) == "none");
  const auto bring_near = [](System* atoms, int first, int second) {
    for (int k = 0; k < 3; ++k) {
      atoms->coord[3 * second + k] = atoms->coord[3 * first + k] + (k == 1 ? 0.2 : 0);
    }
  };
  bring_near(&system, 37, 39);
  same(system.frames(), system, "atoms 1 and 3 of frame 2");
  System alone = single_frame();
  bring_near(&alone, 4, 12);
  same(alone.frames(), alone, "atoms 4 and 12 of frame 0");
  const Pairs pairs(alone, model.rcut, 2);
  same(pairs.pairs(), pairs, "atoms 4 and 12");
  const Lists lists(alone, 3);
  std::vector<int64_t> id;
  for (int32_t atom = 0; atom < alone.num_atoms(); ++atom) id.push_back(100 + atom);
  deeptf_neighbor_list list = lists.list();
  list.id = id.data();
  same(list, lists, "atoms 104 and 112");
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
  const auto message = [](LocalFramesModel model, const System& atoms) {
    return message_of(GpuModel(model.bytes()), atoms.frames(), atoms.found());
  };
  LocalFramesModel model;
  CHECK(message(model, system) == "none");
  model.rank = 7;
  CHECK(message(model, system) == "atom 0: no second axis of type 0");
  CHECK(message(model, System({11, 3}, 2, 1, 30)) == "atom 0: no first axis of type 0");
}
