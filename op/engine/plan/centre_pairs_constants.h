// What the stages of numbers that the pairs of each centre decide are made of, and whether it can
// be used; core/short_range/centre_pairs.h has the equations.
#pragma once

#include <vector>

#include "core/short_range/centre_pairs.h"
#include "engine/plan/stage_reader.h"

namespace deeptf {

// A stage that takes pairs and gives a number of each atom.
struct CentreStage {
  explicit CentreStage(const StageReader& reader) : takes(reader.takes()) {
    const ValueType& taken = reader.type_of(takes);
    if (!taken.of_pairs || taken.width != 3) {
      throw Error("energies of pairs and soft minima must take pairs");
    }
    gives = reader.gives({1, false, Precision::float64});
  }

  int takes, gives;
};

struct PairTableConstants : CentreStage {
  explicit PairTableConstants(const StageReader& reader)
      : CentreStage(reader),
        rcut(reader.number("rcut")),
        nodes(reader.constant<double>(
            "nodes", {reader.inputs.num_types * (reader.inputs.num_types + 1) / 2, -1, 2})),
        grid(reader.constant<double>("grid", {2})) {
    if (nodes.shape[1] < 2 || !(grid[1] > 0)) {
      throw Error("a pair table must have at least 2 nodes of each two types, and a positive step");
    }
  }

  // `at` is where the nodes are.
  PairTable function(int64_t num_types, const double* at) const {
    return {num_types, nodes.shape[1], grid[0], grid[1], rcut, at};
  }

  double rcut;
  Aligned<double> nodes, grid;
};

struct ZblConstants : CentreStage {
  explicit ZblConstants(const StageReader& reader)
      : CentreStage(reader),
        inner(reader.number("rin")),
        outer(reader.number("rout")),
        nodes(reader.constant<double>("atomic_number", {reader.inputs.num_types})) {
    if (!(inner > 0 && inner < outer)) {
      throw Error("`rin` and `rout` of a stage must be positive and rise");
    }
    for (const double number : nodes.numbers) {
      if (!(number > 0)) throw Error("`atomic_number` of a stage must be positive");
    }
  }

  Zbl function(int64_t, const double* at) const { return {inner, outer, at}; }

  double inner, outer;
  Aligned<double> nodes;  // the numbers of the types
};

struct SoftMinimumConstants : CentreStage {
  explicit SoftMinimumConstants(const StageReader& reader)
      : CentreStage(reader),
        of{reader.number("alpha"), reader.number("rmin"), reader.number("rmax")} {
    if (!(of.alpha > 0 && of.least < of.most)) {
      throw Error("`alpha` of a stage must be positive, and `rmin` below `rmax`");
    }
  }

  SoftMinimum of;
};

// switch (first + added_c) + (1 - switch) second.
struct BlendConstants {
  explicit BlendConstants(const StageReader& reader) {
    const std::vector<Json>& names = reader.fields.at("takes").items();
    if (names.size() != 3) throw Error("a blend must take three values");
    for (int k = 0; k < 3; ++k) {
      takes[k] = reader.value_named(names[k].text());
      const ValueType& type = reader.type_of(takes[k]);
      if (type.of_pairs || type.width != 1) throw Error("a blend must take numbers of atoms");
    }
    if (reader.fields.given("added") != nullptr) {
      added = reader.constant<double>("added", {reader.inputs.num_types});
    }
    gives = reader.gives({1, false, Precision::float64});
  }

  int takes[3], gives;
  Aligned<double> added;  // [T], or nothing
};

}  // namespace deeptf
