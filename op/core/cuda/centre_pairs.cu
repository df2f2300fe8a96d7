// See centre_pairs.h.
#include "core/cuda/centre_pairs.h"
#include "core/cuda/device.h"
#include "core/short_range/centre_values.h"

namespace deeptf {
namespace {

template <class Function>
struct Energy {
  CentrePairs in;
  Function function;
  double *energy, *gradient;

  DEEPTF_HD void operator()(int64_t atom) const {
    energy[atom] = centre_energy(in, function, atom, gradient);
  }
};

struct Switch {
  CentrePairs in;
  SoftMinimum of;
  double *value, *gradient;

  DEEPTF_HD void operator()(int64_t atom) const {
    value[atom] = centre_switch(in, of, atom, gradient);
  }
};

}  // namespace

template <class Function>
int64_t pair_energies(const CentrePairs& in, const Function& function, const Cuda& cuda,
                      double* energy, double* gradient) {
  for_each(cuda, in.num_atoms, Energy<Function>{in, function, energy, gradient});
  return -1;
}

template int64_t pair_energies(const CentrePairs&, const PairTable&, const Cuda&, double*, double*);
template int64_t pair_energies(const CentrePairs&, const Zbl&, const Cuda&, double*, double*);

void soft_minimum(const CentrePairs& in, const SoftMinimum& of, const Cuda& cuda, double* value,
                  double* gradient) {
  for_each(cuda, in.num_atoms, Switch{in, of, value, gradient});
}

}  // namespace deeptf
