// The threads that ops share. See threads.cc.
#pragma once

#include "core/parallel.h"
#include "tf/tf_compat.h"

namespace deeptf {

// As many threads as TensorFlow may use for an op, in the form that the core takes.
ParallelFor threads_of(tensorflow::OpKernelContext* context);

}  // namespace deeptf
