// Whether a model gives the same on a device and on the CPU.
#pragma once

#include "engine_case.h"
#include "kind_models.h"

namespace deeptf_test {

inline double tolerance_of(const ModelBytes& model) { return model.single ? 1e-5 : 1e-12; }

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

inline System few_atoms(int types = 2) { return System({11, 3}, types); }

inline System single_frame(int types = 2) { return System({20}, types); }

}  // namespace deeptf_test
