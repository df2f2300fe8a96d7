// What the kernels of sum.h index with, checked.
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/curve/sum.h"

namespace deeptf {
namespace {

void check_counts(const CurvePairs& pairs) {
  int64_t atoms = 0, sum = 0;
  for (int64_t c = 0; c < pairs.num_types; ++c) {
    if (pairs.atom_count[c] < 0) throw Error("`atom_count` must not be negative");
    atoms += pairs.atom_count[c];
  }
  for (int64_t k = 0; k < pairs.num_atoms * pairs.num_types; ++k) {
    if (pairs.neighbor_count[k] < 0) throw Error("`neighbor_count` must not be negative");
    sum += pairs.neighbor_count[k];
  }
  if (atoms != pairs.num_atoms || sum != pairs.num_pairs) {
    throw Error("`atom_count` and `neighbor_count` must add up to " +
                std::to_string(pairs.num_atoms) + " atoms and " + std::to_string(pairs.num_pairs) +
                " pairs, got " + std::to_string(atoms) + " and " + std::to_string(sum));
  }
  const int64_t places = pairs.num_pairs + pairs.num_atoms * pairs.num_types;
  if (places > std::numeric_limits<int32_t>::max()) {
    throw Error("pairs and empty places must be below 2^31, got " + std::to_string(places) +
                ": give fewer atoms at a time");
  }
}

void check_types(const CurvePairs& pairs, int64_t num_curves) {
  for (int64_t k = 0; k < pairs.num_types * pairs.num_types; ++k) {
    if (pairs.curve[k] < -1 || pairs.curve[k] >= num_curves) {
      throw Error("`curve` must be -1 or below " + std::to_string(num_curves) + ", got " +
                  std::to_string(pairs.curve[k]));
    }
  }
  for (int64_t t = 0; t < pairs.num_types; ++t) {
    if (!std::isfinite(pairs.sel[t])) {
      throw Error("`sel` must be finite, got " + std::to_string(pairs.sel[t]) + " for type " +
                  std::to_string(t));
    }
  }
  for (int64_t k = 0; k < pairs.num_types * pairs.num_types; ++k) {
    if (!std::isfinite(pairs.empty[k])) {
      throw Error("`empty` must be finite, got " + std::to_string(pairs.empty[k]) + " for types " +
                  std::to_string(k % pairs.num_types) + " and " +
                  std::to_string(k / pairs.num_types));
    }
  }
}

}  // namespace

void check_segments(const CurveSegments& segments) {
  const int64_t number = segments.num_curves * segments.number;
  const int32_t* node_row = segments.node_row;
  if (node_row[0] != 0) {
    throw Error("`node_row` must begin with 0, got " + std::to_string(node_row[0]));
  }
  for (int64_t k = 0; k < number; ++k) {
    const int64_t nodes = int64_t{node_row[k + 1]} - node_row[k];
    const double start = segments.grid[2 * k], step = segments.grid[2 * k + 1];
    if (nodes < 2 || !(step > 0) || !std::isfinite(start) || !std::isfinite(step)) {
      throw Error("`node_row` and `grid` must give at least two nodes with a positive step, got " +
                  std::to_string(nodes) + " nodes from " + std::to_string(start) + " with step " +
                  std::to_string(step) + " for segment " + std::to_string(k));
    }
  }
}

void check_needed(const int32_t* needed_row, int64_t nodes, int64_t needed) {
  bool counts = needed_row[0] == 0 && needed_row[nodes] == needed;
  for (int64_t k = 0; k < nodes; ++k) {
    counts = counts && needed_row[k] <= needed_row[k + 1] &&
             needed_row[k + 1] - int64_t{needed_row[k]} <= 1;
  }
  if (!counts) {
    throw Error("`needed_row` must count the nodes of the table, from 0 to " +
                std::to_string(needed) + " in steps of 0 or 1");
  }
}

void check_curves(const CurvePairs& pairs, const CurveSegments& segments) {
  if (pairs.columns != 1 && pairs.columns != 4) {
    throw Error("`rows` must have 1 or 4 columns, got " + std::to_string(pairs.columns));
  }
  if (segments.near < 0 || segments.near >= segments.number) {
    throw Error("`near` must be from 0 to below the " + std::to_string(segments.number) +
                " segments, got " + std::to_string(segments.near));
  }
  check_counts(pairs);
  check_types(pairs, segments.num_curves);
  check_segments(segments);
}

}  // namespace deeptf
