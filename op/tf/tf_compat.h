// The TensorFlow headers that the bindings use, and every difference between TensorFlow releases.
//
// Supported: 2.16 to 2.21. Status is absl::Status in all of them; older releases called it
// tensorflow::Status.
#pragma once

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/protobuf/config.pb.h"
