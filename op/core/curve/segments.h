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

namespace deeptf {

struct CurveSegments {
  int64_t num_curves;       // C
  int64_t number;           // S of each curve
  int64_t near;             // how many of them, the last ones, lie beyond the range of the data
  const int32_t* node_row;  // [C S + 1] first node of each segment; it has at least two
  const double* grid;       // [C S, 2] x of the first node, step

  int64_t num_nodes() const { return node_row[num_curves * number]; }
};

// Throws Error unless node rows and grid are those of segments.
void check_segments(const CurveSegments& segments);

// Throws Error unless needed_row counts some of `nodes` nodes, `needed` of them.
void check_needed(const int32_t* needed_row, int64_t nodes, int64_t needed);

}  // namespace deeptf
