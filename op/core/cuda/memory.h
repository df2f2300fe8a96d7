// Moving numbers to and on a device, in the order of the stream.
#pragma once

#include <cstddef>

#include "core/cuda/cuda.h"

namespace deeptf {

// The host's array may change once the call has returned.
void copy_to_device(const Cuda& cuda, const void* host, size_t bytes, void* device);
void copy_on_device(const Cuda& cuda, const void* from, size_t bytes, void* to);
void fill_zero(const Cuda& cuda, size_t bytes, void* to);

}  // namespace deeptf
