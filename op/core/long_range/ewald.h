// Charges and all their periodic images: the reciprocal part of an Ewald sum, float64.
//
//   E = k_e / (2 pi V) sum_{m != 0} exp(-pi^2 m^2 / beta^2) / m^2 |S(m)|^2
//   S(m) = sum_i q_i exp(2 pi i m . x_i)
// m = k_1 b_1 + k_2 b_2 + k_3 b_3 with the reciprocal vectors b_d, a_d . b_e = 1 or 0, and
// k_d = -K_d/2 .. K_d/2, K_d the least even number that is at least |a_d| / spacing. There is no
// sum in real space and no self term: E is the energy of Gaussian charges with themselves. The term
// m = 0 is left out, so a charge of the whole cell has an even background against it.
//
// S(-m) is the conjugate of S(m): only k_3 >= 0 is summed. Phases are powers of one phase of each
// direction, so a site costs three sines and cosines. S is a sum over sites: where they are shared
// out, S of all is the sum of those of the parts, and with it each part has its forces.
#pragma once

#include <cstdint>

#include "core/base/context.h"
#include "core/base/host_device.h"

namespace deeptf {

constexpr double kCoulomb = 14.39964535475696995;  // k_e, e^2 / (4 pi epsilon_0) in eV A

// Which m there are.
struct EwaldGrid {
  double inverse[9];  // of the cell; b_d is column d
  double volume;      // A^3
  double beta;        // 1/A
  int64_t half[3];    // K_d / 2
  int64_t width;      // places of a row: k_3 = 0 .. half[2], and zeros

  DEEPTF_HD int64_t count(int axis) const { return 2 * half[axis] + 1; }
  DEEPTF_HD int64_t num_rows() const { return count(0) * count(1); }
  DEEPTF_HD int64_t size() const {
    return num_rows() * 2 * width;
  }  // numbers of a structure factor
};

// cell [3, 3] A, rows are cell vectors. Throws Error for a cell without volume, for `beta` or
// `spacing` that are not positive, and where there are more m than an array may have.
EwaldGrid ewald_grid(const double* cell, double beta, double spacing);

// Point charges; those that are 0 give nothing.
struct Charges {
  int64_t count;         // N
  const double* coord;   // [N, 3] A
  const double* charge;  // [N] e
};

// S(m) by (k_1, k_2): real, then imaginary parts of k_3, [num_rows, 2, width]. Throws Error for
// coordinates that are not finite.
void structure_factor(const EwaldGrid& grid, const Charges& charges, const Context& context,
                      double* factor);

// E in eV [1], and virial [9] = -dE/dstrain, of the charges whose structure factor this is.
void ewald_energy(const EwaldGrid& grid, const double* factor, const Context& context,
                  double* energy, double* virial);

// Forces [N, 3] = -dE/dx and potentials [N] = dE/dq of some of these charges.
void ewald_forces(const EwaldGrid& grid, const Charges& charges, const double* factor,
                  const Context& context, double* force, double* potential);

// What each of these charges has of the virial, [N, 9]: the half of its terms with all charges, as
// q dE/dq / 2 is of the energy.
void ewald_site_virial(const EwaldGrid& grid, const Charges& charges, const double* factor,
                       const Context& context, double* virial);

}  // namespace deeptf
