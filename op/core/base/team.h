// Threads for the loops of kernels; see team.cc.
#pragma once

#include "core/base/context.h"

namespace deeptf {

// Loops on the calling thread and on `threads` - 1 helpers, which all loops of the process share.
Context team_of(int threads);

}  // namespace deeptf
