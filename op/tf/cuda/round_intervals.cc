// GPU kernel of the op in tf/round_intervals.cc.
#include "tf/round_intervals.h"

#include "core/cuda/intervals.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

REGISTER_KERNEL_BUILDER(DEEPTF_GPU("RoundIntervals"),
                        Kernel<IntervalWidth, rounded_intervals<Gpu>>);

}  // namespace deeptf
