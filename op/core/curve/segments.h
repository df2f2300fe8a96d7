// Where the nodes of tabulated curves lie, and which of them a table holds.
//
// A curve is followed on the range of x that its data have and, where x is larger (pairs are
// closer), on some more. Both stretches are cut into segments of one width, each with equally
// spaced nodes of its own, the first and the last one at its ends: nodes are close where the curve
// bends.
//
// A table need not hold all nodes: those of intervals in which no pair of a batch lies are of no
// use to it. needed_row [nodes + 1] counts the needed nodes before each node, which is the place of
// a needed one in a table. Both nodes of an interval are needed or it is not used, so they stay
// neighbours there. Of a table with all nodes it is 0, 1, 2 ...
#pragma once

#include <cstdint>

#include "core/base/host_device.h"
#include "core/curve/hermite.h"

namespace deeptf {

struct CurveSegments {
  int64_t num_curves;       // C
  int64_t number;           // S of each curve
  int64_t near;             // how many of them, the last ones, lie beyond the range of the data
  const int32_t* node_row;  // [C S + 1] first node of each segment; it has at least two
  const double* grid;       // [C S, 2] x of the first node, step

  int64_t num_nodes() const { return node_row[num_curves * number]; }
};

// Segments of one width, one behind the other: the range of the data, or what lies beyond it.
struct Stretch {
  double start, end, inverse_width;
  int64_t first, count;  // segments

  DEEPTF_HD int64_t segment_at(double x) const {
    return first + unit_at((x - start) * inverse_width, count - 1);
  }
};

DEEPTF_HD inline Stretch stretch_of(const CurveSegments& segments, int64_t first, int64_t end) {
  const double *grid = segments.grid, start = grid[2 * first], step = grid[2 * first + 1];
  const int32_t* row = segments.node_row;
  const double last = grid[2 * end - 2] + grid[2 * end - 1] * (row[end] - row[end - 1] - 1);
  return {start, last, 1 / step / (row[first + 1] - row[first] - 1), first, end - first};
}

// Of a curve, the range of its data.
DEEPTF_HD inline Stretch data_stretch(const CurveSegments& segments, int64_t curve) {
  const int64_t first = curve * segments.number;
  return stretch_of(segments, first, first + segments.number - segments.near);
}

// What lies beyond it; or its last segment, which then goes on to the end.
DEEPTF_HD inline Stretch near_stretch(const CurveSegments& segments, int64_t curve) {
  const int64_t end = (curve + 1) * segments.number;
  return stretch_of(segments, end - (segments.near > 1 ? segments.near : 1), end);
}

// The interval of x in a segment.
DEEPTF_HD inline Interval interval_in(const CurveSegments& segments, int64_t segment,
                                      double inverse_step, double x) {
  const int32_t node = segments.node_row[segment];
  return interval_at(x, segments.grid[2 * segment], inverse_step, node,
                     segments.node_row[segment + 1] - node);
}

constexpr double kSameNode =
    1e-9;  // steps; so close are the last node of a segment and the next one

// Where a node of a segment lies; the last one where the next segment begins, if the two meet.
DEEPTF_HD inline double node_x(const CurveSegments& segments, int64_t segment, int32_t node) {
  const double *grid = segments.grid + 2 * segment, step = grid[1];
  const double x = grid[0] + static_cast<double>(node - segments.node_row[segment]) * step;
  const bool at_end =
      node == segments.node_row[segment + 1] - 1 && (segment + 1) % segments.number > 0;
  return at_end && std::abs(x - grid[2]) < kSameNode * step ? grid[2] : x;
}

// The argument of a net at a node at x, and by how much it changes with that. A curve that is bent
// has the nodes on asinh of the argument: close around 0, and far apart where that is large.
DEEPTF_HD inline double argument_at(bool bent, double x) { return bent ? std::sinh(x) : x; }
DEEPTF_HD inline double argument_slope(bool bent, double x) { return bent ? std::cosh(x) : 1; }

// Throws Error unless node rows and grid are those of segments.
void check_segments(const CurveSegments& segments);

// Throws Error unless needed_row counts some of `nodes` nodes, `needed` of them.
void check_needed(const int32_t* needed_row, int64_t nodes, int64_t needed);

}  // namespace deeptf
