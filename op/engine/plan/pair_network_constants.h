// What nets that give values of the pairs are made of, and whether they can be used.
#pragma once

#include "engine/plan/gate_constants.h"
#include "engine/plan/pair_nets.h"

namespace deeptf {

template <class T>
struct PairNetworkConstants {
  // Throws Error where something is not as it must be.
  explicit PairNetworkConstants(const StageReader& reader)
      : nets(reader),
        takes(reader.takes()),
        columns(reader.type_of(takes).width),
        gates(reader, columns, nets.width()),
        curve(reader.curve(nets.number())) {
    if (!reader.type_of(takes).of_pairs) throw Error("nets of pairs must take rows of pairs");
    gives = reader.gives({nets.width(), true, kPrecision<T>, reader.set()});
  }

  PairNets<T> nets;
  int takes, gives;
  int64_t columns;  // of rows
  GateConstants<T> gates;
  Aligned<int32_t> curve;  // [T, T] neighbour type first
};

}  // namespace deeptf
