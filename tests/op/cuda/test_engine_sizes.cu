// Numbers of atoms, pairs and frames that change from step to step, on a device against the CPU.
#include "engine_agree.h"

using namespace deeptf_test;

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
