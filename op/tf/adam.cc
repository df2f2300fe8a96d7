// The ops AdamUpdate and AdamChange, and their CPU kernels.
#include <algorithm>

#include "tf/adam_update.h"

namespace deeptf {

template <class T>
void copy_numbers(const Context&, const T* from, int64_t count, T* to) {
  std::copy_n(from, count, to);
}

template <class T>
void zero_numbers(const Context&, int64_t count, T* to) {
  std::fill_n(to, count, T(0));
}

namespace {

absl::Status shape_of_changes(InferenceContext* c) {
  for (int k = 0; k < c->num_outputs(); ++k) {
    c->set_output(k, c->input(1 + 2 * c->num_outputs() + k));
  }
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("AdamUpdate")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .DEEPTF_ADAM_STEP.Input("weights: N * resource")
    .Input("first: N * resource")
    .Input("second: N * resource")
    .Input("gradients: N * T")
    .SetIsStateful()
    .SetShapeFn(tensorflow::shape_inference::NoOutputs);

REGISTER_OP("AdamChange")
    .Attr("T: {float, double}")
    .Attr("N: int >= 1")
    .DEEPTF_ADAM_STEP.Input("first: N * resource")
    .Input("second: N * resource")
    .Input("gradients: N * T")
    .Output("changes: N * T")
    .SetIsStateful()
    .SetShapeFn(shape_of_changes);

DEEPTF_CPU_KERNELS("AdamUpdate", UpdateAttributes, update);
DEEPTF_CPU_KERNELS("AdamChange", UpdateAttributes, update);

}  // namespace deeptf
