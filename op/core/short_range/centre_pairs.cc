// See centre_pairs.h; centre_values.h has the formulas.
#include "core/short_range/centre_pairs.h"

#include <cmath>
#include <cstdio>
#include <string>

#include "core/base/error.h"
#include "core/short_range/centre_values.h"

namespace deeptf {
namespace {

constexpr int64_t kCycles = 60;  // of a pair

int64_t cycles_of(const CentrePairs& in) {
  return in.num_atoms == 0 ? 1 : 1 + kCycles * in.num_pairs / in.num_atoms;
}

}  // namespace

void check_centre_pairs(const CentrePairs& in) {
  for (int64_t atom = 0; atom < in.num_atoms; ++atom) {
    if (in.type[atom] < 0 || in.type[atom] >= in.num_types) {
      throw Error("`type` must be 0 to " + std::to_string(in.num_types - 1) + ", got " +
                  std::to_string(in.type[atom]) + " at atom " + std::to_string(atom));
    }
    for (int64_t t = 0; t < in.num_types; ++t) {
      const int64_t first = in.first[atom * in.first_of_atom + t * in.first_of_type];
      const int64_t count = in.neighbor_count[atom * in.num_types + t];
      if (first < 0 || count < 0 || first + count > in.num_pairs) {
        throw Error("`first_pair` and `neighbor_count` must be within the " +
                    std::to_string(in.num_pairs) + " pairs, got " + std::to_string(first) +
                    " and " + std::to_string(count) + " at atom " + std::to_string(atom));
      }
    }
  }
}

template <class Function>
int64_t pair_energies(const CentrePairs& in, const Function& function, const Context& context,
                      double* energy, double* gradient) {
  FirstWrong wrong;
  context.parallel(in.num_atoms, cycles_of(in), [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) {
      energy[atom] = centre_energy(in, function, atom, gradient);
      if (energy[atom] * 0 == 0) continue;
      over_pairs(in, atom, [&](int64_t pair, int64_t t, double r) {
        const double value = function(r, in.type[atom], t).value;
        if (std::isnan(value)) wrong.report(pair);
      });
    }
  });
  return wrong.any() ? wrong.index() : -1;
}

template int64_t pair_energies(const CentrePairs&, const PairTable&, const Context&, double*,
                               double*);
template int64_t pair_energies(const CentrePairs&, const Zbl&, const Context&, double*, double*);

std::string below_table(const PairTable& table, const double* x) {
  char distance[80];
  std::snprintf(distance, sizeof distance, "%.4g A apart, closer than %.4g A",
                std::sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]), table.least);
  return " must be at a distance that the pair table has, got them " + std::string(distance) +
         ", where it begins";
}

void soft_minimum(const CentrePairs& in, const SoftMinimum& of, const Context& context,
                  double* value, double* gradient) {
  context.parallel(in.num_atoms, 2 * cycles_of(in), [&](int64_t begin, int64_t end) {
    for (int64_t atom = begin; atom < end; ++atom) {
      value[atom] = centre_switch(in, of, atom, gradient);
    }
  });
}

}  // namespace deeptf
