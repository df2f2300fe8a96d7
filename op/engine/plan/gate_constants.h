// Gates of the nets of pairs, and shares of pairs, where they fade out at the cut-off: what is
// read, and the formula for any device.
#pragma once

#include "core/base/host_device.h"
#include "engine/plan/stage_reader.h"

namespace deeptf {

// p = 1 - max(1 - rcut_smth s, 0)^3 of a pair, with s from the first number x of its row and the
// type of its centre.
struct ShareFormula {
  double rcut_smth;
  const double *mean, *stddev;  // [T, 4]

  DEEPTF_HD double share(int64_t type, double x) const {
    const double left = left_of(type, x);
    return 1 - left * left * left;
  }
  // Its derivative in x.
  DEEPTF_HD double slope(int64_t type, double x) const {
    const double left = left_of(type, x);
    return 3 * left * left * rcut_smth * stddev[4 * type];
  }

 private:
  DEEPTF_HD double left_of(int64_t type, double x) const {
    const double left = 1 - rcut_smth * (x * stddev[4 * type] + mean[4 * type]);
    return left > 0 ? left : 0;
  }
};

struct ShareConstants {
  // `width` is that of the rows.
  ShareConstants(const StageReader& reader, int64_t width) {
    const Json* share = reader.fields.given("share");
    if (share == nullptr) return;
    if (width != 4) throw Error("shares of pairs must come from rows of 4 columns");
    const int64_t types = reader.inputs.num_types;
    rcut_smth = share->at("rcut_smth").number();
    mean = reader.constant<double>(*share, "mean", {types, 4});
    stddev = reader.constant<double>(*share, "stddev", {types, 4});
  }

  bool fade() const { return mean.size() > 0; }  // each is 1 where a stage does not say
  ShareFormula formula() const { return {rcut_smth, mean.data(), stddev.data()}; }

  double rcut_smth = 0;
  Aligned<double> mean, stddev;
};

// Gates h of the blocks of pairs of two types, which multiply the values of nets by 1 + p h.
template <class T>
struct GateConstants {
  // Rows have `columns` numbers, the values of nets `width`.
  GateConstants(const StageReader& reader, int64_t columns, int64_t width)
      : width(width), shares(reader, columns) {
    if (reader.fields.given("gate") == nullptr) return;
    if (columns != 4) throw Error("a sum with gates must take rows of 4 columns");
    const int64_t types = reader.inputs.num_types;
    gate = reader.constant<T>("gate", {types, types, width});
  }

  bool given() const { return gate.size() > 0; }

  int64_t width;
  Aligned<T> gate;  // [T, T, M] neighbour type first, or nothing
  ShareConstants shares;
};

}  // namespace deeptf
