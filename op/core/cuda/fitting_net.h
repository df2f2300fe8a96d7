// Fitting nets (nets/fitting_net.h) on a GPU. The numbers of atoms of each type are on the host,
// all other arrays on the device; packed weights are not used.
#pragma once

#include "core/cuda/cuda.h"
#include "core/nets/fitting_net.h"

namespace deeptf {

template <class T>
void fitting_net(const FittingInputs<T>& in, const Cuda& cuda, const FittingOutputs<T>& out);

template <class T>
void fitting_net_grad(const FittingInputs<T>& in, const Cuda& cuda,
                      const FittingUpstream<T>& upstream, const FittingGrads<T>& out);

}  // namespace deeptf
