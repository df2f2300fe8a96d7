// Nets of atoms on a device against those on the CPU: what they take beside descriptors, and
// numbers other than energies.
#include "engine_agree.h"

using namespace deeptf_test;

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
