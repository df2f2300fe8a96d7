// Numbers of each centre that its pairs decide, each with its derivative: energies of pairs, and
// how strongly they take the place of another energy where atoms come close.
//
//   energy_i = 1/2 sum_j u(r_ij; t_i, t_j)
//   switch_i = s(d_i)    d_i = sum_j r_ij w_ij / sum_j w_ij    w_ij = exp(-r_ij / alpha)
//
// with s = 1 below `least`, u^3 (-6 u^2 + 15 u - 10) + 1 up to `most` and 0 beyond, where
// u = (d - least) / (most - least); 0 without neighbours.
//
// Since each of them depends on the pairs of its own centre, gradient [P, 3] is that in the
// displacement of each pair; nothing else is needed for forces, nor, since there is nothing to
// train, for their derivatives in weights.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/context.h"
#include "core/short_range/pair_functions.h"

namespace deeptf {

struct CentrePairs {
  int64_t num_atoms;              // n
  int64_t num_pairs;              // P
  int64_t num_types;              // T
  const int32_t* type;            // [n]
  const int32_t* neighbor_count;  // [n, T]
  // First pair of atom a and type t: [a first_of_atom + t first_of_type].
  const int32_t* first;
  int64_t first_of_atom, first_of_type;
  const double* displacement;  // [P, 3] A; each pair belongs to an atom and a type
};

struct SoftMinimum {
  double alpha, least, most;  // A
};

// Throws Error where a type or a pair is out of range.
void check_centre_pairs(const CentrePairs& in);

// energy [n], gradient [P, 3]. Returns the first pair that is closer than a table knows; -1 for
// none.
template <class Function>
int64_t pair_energies(const CentrePairs& in, const Function& function, const Context& context,
                      double* energy, double* gradient);

// What is wrong with the displacement x [3] between two atoms, behind their names.
std::string below_table(const PairTable& table, const double* x);

// value [n], gradient [P, 3].
void soft_minimum(const CentrePairs& in, const SoftMinimum& of, const Context& context,
                  double* value, double* gradient);

}  // namespace deeptf
