// See environment.h. With q = s/r, row k is q x_k, and d(row k)/dx_a = q delta_ka + x_k x_a q'/r.
#include "core/geometry/environment.h"

#include <cmath>
#include <string>
#include <type_traits>

#include "core/base/error.h"
#include "core/geometry/apart.h"
#include "core/geometry/switch.h"

namespace deeptf {
namespace {

constexpr int64_t kCycles = 60;

// Calls body with a constant for the number of columns of the rows.
template <class Body>
void with_columns(const EnvironmentInputs& in, const Body& body) {
  if (in.columns == 1) {
    body(std::integral_constant<int, 1>());
  } else {
    body(std::integral_constant<int, 4>());
  }
}

}  // namespace

void check_environment(const EnvironmentInputs& in, const Context& context) {
  if (in.columns != 1 && in.columns != 4) {
    throw Error("`mean` must have 1 or 4 columns, got " + std::to_string(in.columns));
  }
  for (int64_t k = 0; k < in.columns * in.num_types; ++k) {
    if (!(in.stddev[k] > 0) || !std::isfinite(in.stddev[k]) || !std::isfinite(in.mean[k])) {
      throw Error("`mean` must be finite and `stddev` finite and positive, got " +
                  std::to_string(in.mean[k]) + " and " + std::to_string(in.stddev[k]) +
                  " for type " + std::to_string(k / in.columns));
    }
  }
  FirstWrong wrong;
  context.parallel(in.num_pairs, 5, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const int32_t atom = in.centre[pair];
      const bool known = atom >= 0 && atom < in.num_atoms;
      if (!known || in.atom_type[atom] < 0 || in.atom_type[atom] >= in.num_types) {
        wrong.report(pair);
        return;
      }
    }
  });
  if (!wrong.any()) return;
  const int32_t atom = in.centre[wrong.index()];
  if (atom < 0 || atom >= in.num_atoms) {
    throw Error("`centre` must be an atom index below " + std::to_string(in.num_atoms) + ", got " +
                std::to_string(atom) + " at pair " + std::to_string(wrong.index()));
  }
  throw Error("`atom_type` must be 0 to " + std::to_string(in.num_types - 1) + ", got " +
              std::to_string(in.atom_type[atom]) + " at atom " + std::to_string(atom));
}

void environment(const EnvironmentInputs& in, const Context& context, double* rows) {
  FirstWrong wrong;
  with_columns(in, [&](auto columns) {
    constexpr int W = columns();
    context.parallel(in.num_pairs, kCycles, [&](int64_t begin, int64_t end) {
      for (int64_t pair = begin; pair < end; ++pair) {
        const double* x = in.displacement + 3 * pair;
        const int64_t type = in.atom_type[in.centre[pair]];
        const double *mean = in.mean + W * type, *stddev = in.stddev + W * type;
        if (!is_apart(x)) wrong.report(pair);
        const Radial f = radial(x, in.rcut_smth, in.rcut);
        const double row[4] = {f.s, f.q * x[0], f.q * x[1], f.q * x[2]};
        for (int k = 0; k < W; ++k) rows[W * pair + k] = (row[k] - mean[k]) / stddev[k];
      }
    });
  });
  if (wrong.any()) {
    throw Error(not_apart(in.displacement + 3 * wrong.index()) + " for pair " +
                std::to_string(wrong.index()) + " of atom " +
                std::to_string(in.centre[wrong.index()]));
  }
}

void environment_grad(const EnvironmentInputs& in, const Context& context, const double* row_grad,
                      double* displacement_grad) {
  with_columns(in, [&](auto columns) {
    constexpr int W = columns();
    context.parallel(in.num_pairs, kCycles, [&](int64_t begin, int64_t end) {
      for (int64_t pair = begin; pair < end; ++pair) {
        const double* x = in.displacement + 3 * pair;
        const double* stddev = in.stddev + W * in.atom_type[in.centre[pair]];
        const Radial f = radial(x, in.rcut_smth, in.rcut);
        double g[4] = {};
        for (int k = 0; k < W; ++k) g[k] = row_grad[W * pair + k] / stddev[k];
        const double along = g[0] * f.ds_r + (g[1] * x[0] + g[2] * x[1] + g[3] * x[2]) * f.dq_r;
        for (int k = 0; k < 3; ++k) displacement_grad[3 * pair + k] = along * x[k] + f.q * g[k + 1];
      }
    });
  });
}

void environment_grad_grad(const EnvironmentInputs& in, const Context& context,
                           const double* upstream, double* row_grad) {
  with_columns(in, [&](auto columns) {
    constexpr int W = columns();
    context.parallel(in.num_pairs, kCycles, [&](int64_t begin, int64_t end) {
      for (int64_t pair = begin; pair < end; ++pair) {
        const double *x = in.displacement + 3 * pair, *u = upstream + 3 * pair;
        const double* stddev = in.stddev + W * in.atom_type[in.centre[pair]];
        const Radial f = radial(x, in.rcut_smth, in.rcut);
        const double along = u[0] * x[0] + u[1] * x[1] + u[2] * x[2];
        row_grad[W * pair] = f.ds_r * along / stddev[0];
        for (int k = 1; k < W; ++k) {
          row_grad[W * pair + k] = (f.q * u[k - 1] + x[k - 1] * along * f.dq_r) / stddev[k];
        }
      }
    });
  });
}

}  // namespace deeptf
