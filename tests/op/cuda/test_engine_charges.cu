// Charges that act on all others, on a device against those on the CPU.
#include "engine_agree.h"

using namespace deeptf_test;

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
