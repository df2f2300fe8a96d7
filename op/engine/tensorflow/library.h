// TensorFlow's C library and deeptf's ops, opened when the first model needs them.
//
// A process has one TensorFlow: where it is there already, as in Python after `import tensorflow`,
// that one is taken. Libraries are never closed.
#pragma once

#include "engine/deeptf.h"
#include "engine/tensorflow/c_api.h"

namespace deeptf {

// The functions of the open library.
struct TensorFlow {
#define DEEPTF_MEMBER(function) decltype(&deeptf::function) function;
  DEEPTF_TENSORFLOW_FUNCTIONS(DEEPTF_MEMBER)
#undef DEEPTF_MEMBER
};

// Opens both libraries unless they are open. Throws Error where one cannot be opened, does not fit
// the other or this engine, or is another one than the process has.
const TensorFlow& open_tensorflow(const deeptf_load_options& options);

}  // namespace deeptf
