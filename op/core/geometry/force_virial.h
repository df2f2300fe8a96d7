// From the gradient g = dE/d(displacement) of each pair to forces and virials, float64.
//
//   force_i += g, force_j -= g              for the centre i and the neighbour j of the pair
//   virial_ab = - sum g_a r_b               over the pairs of the frame of i
//   atom_virial_j,ab = - sum g_a r_b        over the pairs whose neighbour is j
// Each atom gathers: first its own pairs, then those in which it is the neighbour, both in the
// order of the pairs. So a pair is read twice in all, whatever the number of threads.
#pragma once

#include <cstdint>

#include "core/base/context.h"

namespace deeptf {

// Where the pairs of each atom lie among the sorted pairs (pair_order.h).
struct PairsOfAtoms {
  int64_t num_pairs;              // P
  int64_t num_real;               // N_real, owned real centres
  int64_t num_all;                // N_all, centres and ghosts
  int64_t num_types;              // T
  const int32_t* atom_order;      // [N_real]
  const int32_t* first_pair;      // [N_real, T]
  const int32_t* neighbor_count;  // [N_real, T]
  const int32_t* pair_row;        // [N_all + 1]
  const int32_t* pair_of;         // [P]
};

struct ForceInputs {
  int64_t num_pairs;           // P
  int64_t num_all;             // N_all, centres and ghosts
  int64_t num_frames;          // F
  const double* displacement;  // [P, 3]
  const int32_t* centre;       // [P]
  const int32_t* neighbor;     // [P]; only force_virial_grad reads it
  const int32_t* frame_row;    // [F + 1] first centre of each frame
};

// Throws Error if a centre, neighbour or frame_row is out of range; without neighbours (null) none
// is checked.
void check_force(const ForceInputs& in, const Context& context);

// force [N_all, 3], virial [F, 9]. Throws Error if `pairs` points beyond the atoms or the pairs.
void force_virial(const ForceInputs& in, const PairsOfAtoms& pairs, const Context& context,
                  const double* pair_gradient, double* force, double* virial);

// The transpose of force_virial: force_grad [N_all, 3] and virial_grad [F, 9] to [P, 3].
void force_virial_grad(const ForceInputs& in, const Context& context, const double* force_grad,
                       const double* virial_grad, double* pair_gradient);

// atom_virial [N_all, 9]; of `pairs` it reads pair_row and pair_of. Throws Error as force_virial.
void atom_virial(const PairsOfAtoms& pairs, const Context& context, const double* displacement,
                 const double* pair_gradient, double* atom_virial);

}  // namespace deeptf
