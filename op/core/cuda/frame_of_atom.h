// The frame of an atom, for kernels.
#pragma once

#include <cstdint>

#include "core/base/host_device.h"

namespace deeptf {

// frame_row [F + 1]: first atom of each frame.
DEEPTF_HD inline int64_t frame_of_atom(const int32_t* frame_row, int64_t num_frames, int64_t atom) {
  int64_t low = 0, high = num_frames;  // frame_row[low] <= atom < frame_row[high]
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (frame_row[middle] <= atom ? low : high) = middle;
  }
  return low;
}

}  // namespace deeptf
