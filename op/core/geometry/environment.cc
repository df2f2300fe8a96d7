// See environment.h; environment_row.h has the formulas.
#include "core/geometry/environment.h"

#include <cmath>
#include <string>
#include <type_traits>

#include "core/base/error.h"
#include "core/geometry/apart.h"
#include "core/geometry/environment_row.h"

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
        environment_row<W>(f, x, mean, stddev, rows + W * pair);
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
        environment_row_grad<W>(f, x, stddev, row_grad + W * pair, displacement_grad + 3 * pair);
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
        const double* x = in.displacement + 3 * pair;
        const double* stddev = in.stddev + W * in.atom_type[in.centre[pair]];
        const Radial f = radial(x, in.rcut_smth, in.rcut);
        environment_row_grad_grad<W>(f, x, stddev, upstream + 3 * pair, row_grad + W * pair);
      }
    });
  });
}

}  // namespace deeptf
