// GPU kernels of the ops in tf/moment_product.cc.
#include "tf/moment_product.h"

#include "core/cuda/moment_product.h"
#include "tf/cuda/gpu.h"

namespace deeptf {

DEEPTF_GPU_KERNELS("MomentProduct", MomentAxis, product_of_moments);
DEEPTF_GPU_KERNELS("MomentProductGrad", MomentAxis, product_of_moments_grad);
DEEPTF_GPU_KERNELS("MomentProductPolar", MomentAxis, product_of_moments_polar);

}  // namespace deeptf
