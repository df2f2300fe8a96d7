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
    if (!std::isfinite(pairs.sel[t]) || !std::isfinite(pairs.empty[t])) {
      throw Error("`sel` and `empty` must be finite, got " + std::to_string(pairs.sel[t]) +
                  " and " + std::to_string(pairs.empty[t]) + " for type " + std::to_string(t));
    }
  }
}

void check_segments(int64_t segments, const int32_t* node_row, const double* grid,
                    int64_t num_nodes) {
  if (node_row[0] != 0 || node_row[segments] != num_nodes) {
    throw Error("`node_row` must go from 0 to the " + std::to_string(num_nodes) +
                " nodes of the table, got " + std::to_string(node_row[0]) + " to " +
                std::to_string(node_row[segments]));
  }
  for (int64_t k = 0; k < segments; ++k) {
    const int64_t nodes = int64_t{node_row[k + 1]} - node_row[k];
    const double start = grid[2 * k], step = grid[2 * k + 1];
    if (nodes < 2 || !(step > 0) || !std::isfinite(start) || !std::isfinite(step)) {
      throw Error("`node_row` and `grid` must give at least two nodes with a positive step, got " +
                  std::to_string(nodes) + " nodes from " + std::to_string(start) + " with step " +
                  std::to_string(step) + " for segment " + std::to_string(k));
    }
  }
}

}  // namespace

template <class T>
void check_curves(const CurvePairs& pairs, const CurveTable<T>& table, int64_t num_nodes) {
  if (table.near < 0 || table.near >= table.segments) {
    throw Error("`near` must be from 0 to below the " + std::to_string(table.segments) +
                " segments, got " + std::to_string(table.near));
  }
  check_counts(pairs);
  check_types(pairs, table.num_curves);
  check_segments(table.num_curves * table.segments, table.node_row, table.grid, num_nodes);
}

template void check_curves<float>(const CurvePairs&, const CurveTable<float>&, int64_t);
template void check_curves<double>(const CurvePairs&, const CurveTable<double>&, int64_t);

}  // namespace deeptf
