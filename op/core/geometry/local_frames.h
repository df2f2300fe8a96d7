// Nearest neighbours of each atom in axes that two of them span (Zhang et al., PRL 120, 143001).
//
// A place is for the n-th nearest neighbour of a type: of each type the first sel_a places are
// angular, the next sel_r radial. The angular ones come first, both by type and number. A rule
// takes the rank-th nearest of some places for an axis. With u and w to those of both rules,
//
//   e1 = u / |u|     e2 = (w - (w . e1) e1) normalised     e3 = e1 x e2
//
// and a row has (1/r, d.e3/r^2, d.e1/r^2, d.e2/r^2) of each angular place, then 1/r of the radial
// ones, 0 without a neighbour closer than rcut. Where u and w have nearly opposite directions, w
// leads to the next nearest. Of equally distant neighbours the first one comes first.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/context.h"

namespace deeptf {

struct AxisRule {
  std::vector<int32_t> places;
  int64_t rank;
};

struct LocalFrames {
  double rcut;
  std::vector<int32_t> sel_a, sel_r;  // [T] places of each type
  std::vector<AxisRule> rules;        // [T, 2] of both axes, by type of the centre

  int64_t num_types() const { return static_cast<int64_t>(sel_a.size()); }
  int64_t num_angular() const;
  int64_t num_places() const;
  int64_t width() const { return 3 * num_angular() + num_places(); }  // of a row
  int64_t num_chosen() const { return num_places() + 2; }
};

// Atoms sorted by type, pairs in the order of pair_order.h.
struct LocalFramesInputs {
  const LocalFrames& frames;
  int64_t num_atoms, num_pairs;
  const int32_t* type;            // [n]
  const int32_t* neighbor_count;  // [n, T]
  const double* displacement;     // [p, 3]
};

// What an atom has no frame for: no atom for one of its axes, or both on one line.
enum Lack : int32_t { kNothing, kFirstAxis, kSecondAxis, kPlane };

// Fills rows [n, width], chosen [n, S + 2], the pairs of the places and of both axes, -1 for none,
// and lack [n]; an atom that lacks something has no row.
void local_frames(const LocalFramesInputs& in, const Context& context, double* rows,
                  int32_t* chosen, int32_t* lack);

// displacement_grad [p, 3] from the gradient in the rows, where no atom lacks anything.
void local_frames_grad(const LocalFramesInputs& in, const Context& context, const int32_t* chosen,
                       const double* upper, double* displacement_grad);

}  // namespace deeptf
