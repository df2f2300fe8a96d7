// GPU kernels of the ops in tf/gated_sum.cc.
#include "tf/gated_sum.h"

#include "core/cuda/gated_sum.h"
#include "tf/cuda/gpu.h"
#include "tf/cuda/placed.h"

namespace deeptf {

DEEPTF_GPU_KERNELS("GatedSum", SumSizes, sum_with_gates);
DEEPTF_GPU_KERNELS("GatedSumGrad", SumSizes, sum_with_gates_grad);
DEEPTF_GPU_KERNELS("GatedSumTangent", SumSizes, sum_with_gates_tangent);
DEEPTF_GPU_KERNELS("GatedTableGrad", SumSizes, grad_of_gated_table);
DEEPTF_GPU_KERNELS("GatedTangentTableGrad", SumSizes, grad_of_gated_table_tangent);
DEEPTF_GPU_KERNELS("GateGrad", SumSizes, grad_of_gate);
DEEPTF_GPU_KERNELS("GateTangentGrad", SumSizes, grad_of_gate_tangent);

}  // namespace deeptf
