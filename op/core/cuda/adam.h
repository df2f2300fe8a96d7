// One step of Adam (train/adam.h) on a GPU, in one pass over all arrays; they are on the device.
#pragma once

#include <vector>

#include "core/cuda/cuda.h"
#include "train/adam.h"

namespace deeptf {

template <class T>
void adam(const std::vector<AdamArrays<T>>& all, const AdamStep& step, const Cuda& cuda);

}  // namespace deeptf
