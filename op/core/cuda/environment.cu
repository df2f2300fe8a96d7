// See environment.h.
#include <cmath>

#include "core/cuda/device.h"
#include "core/cuda/environment.h"
#include "core/geometry/apart.h"
#include "core/geometry/environment_row.h"

namespace deeptf {
namespace {

// What the formulas need of one pair.
template <int W>
struct Pair {
  const double *x, *mean, *stddev;
  bool usable;
};

template <int W>
DEEPTF_HD Pair<W> pair_of(const EnvironmentInputs& in, int64_t pair) {
  Pair<W> found{in.displacement + 3 * pair, in.mean, in.stddev, false};
  const int32_t centre = in.centre[pair];
  if (centre < 0 || centre >= in.num_atoms) return found;
  const int32_t type = in.atom_type[centre];
  if (type < 0 || type >= in.num_types) return found;
  found.mean += W * type;
  found.stddev += W * type;
  found.usable = true;
  for (int k = 0; k < W; ++k) {
    const double mean = found.mean[k], stddev = found.stddev[k];
    found.usable = found.usable && stddev > 0 && stddev * 0 == 0 && mean * 0 == 0;
  }
  return found;
}

template <int W>
DEEPTF_HD Radial radial_of(const EnvironmentInputs& in, const Pair<W>& pair) {
  return radial(pair.x, in.rcut_smth, in.rcut);
}

template <int W>
struct Rows {
  EnvironmentInputs in;
  double* rows;

  DEEPTF_HD void operator()(int64_t k) const {
    const Pair<W> pair = pair_of<W>(in, k);
    double row[W];
    if (pair.usable && is_apart(pair.x)) {
      environment_row<W>(radial_of(in, pair), pair.x, pair.mean, pair.stddev, row);
    } else {
      for (double& value : row) value = NAN;
    }
    for (int column = 0; column < W; ++column) rows[W * k + column] = row[column];
  }
};

template <int W>
struct RowsGrad {
  EnvironmentInputs in;
  const double* row_grad;
  double* displacement_grad;

  DEEPTF_HD void operator()(int64_t k) const {
    const Pair<W> pair = pair_of<W>(in, k);
    double grad[3] = {NAN, NAN, NAN};
    if (pair.usable) {
      environment_row_grad<W>(radial_of(in, pair), pair.x, pair.stddev, row_grad + W * k, grad);
    }
    for (int axis = 0; axis < 3; ++axis) displacement_grad[3 * k + axis] = grad[axis];
  }
};

template <int W>
struct RowsGradGrad {
  EnvironmentInputs in;
  const double* upstream;
  double* row_grad;

  DEEPTF_HD void operator()(int64_t k) const {
    const Pair<W> pair = pair_of<W>(in, k);
    double grad[W];
    if (pair.usable) {
      environment_row_grad_grad<W>(radial_of(in, pair), pair.x, pair.stddev, upstream + 3 * k,
                                   grad);
    } else {
      for (double& value : grad) value = NAN;
    }
    for (int column = 0; column < W; ++column) row_grad[W * k + column] = grad[column];
  }
};

// Runs Body<columns of the rows>{in, from, to} for every pair.
template <template <int> class Body, class... Arguments>
void for_each_pair(const EnvironmentInputs& in, const Cuda& cuda, const Arguments&... arguments) {
  if (in.columns == 1) {
    for_each(cuda, in.num_pairs, Body<1>{in, arguments...});
  } else {
    for_each(cuda, in.num_pairs, Body<4>{in, arguments...});
  }
}

}  // namespace

void environment(const EnvironmentInputs& in, const Cuda& cuda, double* rows) {
  for_each_pair<Rows>(in, cuda, rows);
}

void environment_grad(const EnvironmentInputs& in, const Cuda& cuda, const double* row_grad,
                      double* displacement_grad) {
  for_each_pair<RowsGrad>(in, cuda, row_grad, displacement_grad);
}

void environment_grad_grad(const EnvironmentInputs& in, const Cuda& cuda, const double* upstream,
                           double* row_grad) {
  for_each_pair<RowsGradGrad>(in, cuda, upstream, row_grad);
}

}  // namespace deeptf
