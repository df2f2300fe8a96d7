// What an environment is made of, and whether it can be used.
#pragma once

#include <string>

#include "engine/plan/stage_reader.h"

namespace deeptf {

struct EnvironmentConstants {
  // Throws Error where something is not as it must be.
  explicit EnvironmentConstants(const StageReader& reader)
      : takes(reader.takes()),
        columns(reader.integer("columns", 1, 4)),
        rcut_smth(reader.number("rcut_smth")),
        rcut(reader.number("rcut")),
        mean(reader.constant<double>("mean", {reader.inputs.num_types, columns})),
        stddev(reader.constant<double>("stddev", {reader.inputs.num_types, columns})) {
    if (columns != 1 && columns != 4) {
      throw Error("`columns` of a stage must be 1 or 4, got " + std::to_string(columns));
    }
    const ValueType& taken = reader.type_of(takes);
    if (!taken.of_pairs || taken.width != 3) throw Error("an environment must take pairs");
    const double reach = reader.file.metadata().at("rcut").number();  // of the pairs
    if (!(rcut <= reach)) {
      throw Error("`rcut` of a stage must be at most " + std::to_string(reach) +
                  ", that of the model, got " + std::to_string(rcut));
    }
    if (!(rcut_smth >= 0 && rcut_smth < rcut)) {
      throw Error("`rcut_smth` of a stage must be from 0 to below its `rcut`");
    }
    for (const double value : stddev.numbers) {
      if (!(value > 0)) throw Error("`stddev` of an environment must be positive");
    }
    gives = reader.gives({columns, true, Precision::float64, reader.set()});
  }

  int takes, gives;
  int64_t columns;
  double rcut_smth, rcut;
  Aligned<double> mean, stddev;  // [T, columns]
};

}  // namespace deeptf
