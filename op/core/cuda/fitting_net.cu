// Energy and slope; see fitting_net.h. Products are cuBLAS's, for all atoms of a type; what lies
// between two of them is one launch.
#include "core/cuda/device.h"
#include "core/cuda/fitting_layers.h"
#include "core/cuda/fitting_net.h"
#include "core/cuda/gemm.h"

namespace deeptf {
namespace {

// z += b and x_l from it.
template <class T>
struct Hidden {
  FittingLayer<T> layer;
  T* z;        // [n, H]
  const T* x;  // [n, in] from the layer below
  T* y;        // [n, out]

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t at = layer.place(k), m = k % layer.out;
    const T biased = z[at] + layer.bias[m];
    z[at] = biased;
    const T value = layer.step_of(m) * activate_one(layer.activation, biased).value;
    y[k] = layer.residual ? value + x[k] : value;
  }
};

// energy [n] = x . w + b, and u of the last layer; a warp an atom.
template <class T>
__global__ void __launch_bounds__(128)
    energy_kernel(FittingLayer<T> layer, const T* matrix, const T* bias, const T* x, int64_t rows,
                  T* energy, T* u) {
  const int64_t row = int64_t{blockIdx.x} * (blockDim.x / kLanes) + threadIdx.x / kLanes;
  if (row >= rows) return;  // the whole warp
  const int lane = threadIdx.x % kLanes;
  T sum[1] = {};
  for (int64_t k = lane; k < layer.out; k += kLanes) {
    sum[0] += x[row * layer.out + k] * matrix[k];
    u[row * layer.hidden + layer.column + k] = matrix[k];
  }
  const T total = warp_sums(sum);
  if (lane == 0) energy[row] = total + bias[0];
}

// v [n, out], and u of the layer below as far as it comes through the residual.
template <class T>
struct Slope {
  FittingLayer<T> layer;
  const T* z;
  T *u, *v;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t at = layer.place(k);
    const T first = activate_one(layer.activation, z[at]).first;
    v[k] = u[at] * layer.step_of(k % layer.out) * first;
    if (layer.residual) u[at - layer.out] = u[at];
  }
};

template <class T>
void run_net(const FittingNetOfType<T>& net, const FittingInputs<T>& in, const Cuda& cuda,
             const Gemm& gemm, T* const (&scratch)[2], const FittingOutputs<T>& out) {
  const int64_t n = net.number, width = in.shape.width, hidden = in.shape.hidden_width();
  T *z = out.preactivation + net.first * hidden, *u = out.backward + net.first * hidden;
  const T* x = in.descriptor + net.first * width;
  int turn = 0;
  for (const FittingLayer<T>& layer : net.layers) {
    T* y = scratch[turn];
    turn = 1 - turn;
    gemm.multiply<T>({n, layer.out, z + layer.column, hidden, false},
                     layer.forward({x, layer.in, 1}));
    for_each(cuda, n * layer.out, Hidden<T>{layer, z, x, y});
    x = y;
  }
  launch(cuda, dim3(static_cast<unsigned>((n + 3) / 4)), 128, energy_kernel<T>, net.layers.back(),
         net.last_matrix, net.last_bias, x, n, out.energy + net.first, u);
  for (size_t l = net.layers.size(); l-- > 0;) {
    const FittingLayer<T>& layer = net.layers[l];
    T* v = scratch[0];
    for_each(cuda, n * layer.out, Slope<T>{layer, z, u, v});
    const Product<T> product = layer.backward({v, layer.out, 1});
    if (l == 0) {
      gemm.multiply<T>({n, width, out.slope + net.first * width, width, false}, product);
    } else {
      gemm.multiply<T>({n, layer.in, u + layer.column - layer.in, hidden, layer.residual}, product);
    }
  }
}

}  // namespace

template <class T>
void fitting_net(const FittingInputs<T>& in, const Cuda& cuda, const FittingOutputs<T>& out) {
  const Gemm gemm(cuda);
  const int64_t size = in.num_atoms * in.shape.widest();
  T* const scratch[2] = {cuda.scratch<T>(size), cuda.scratch<T>(size)};
  for (const FittingNetOfType<T>& net : nets_of(in)) {
    if (net.number > 0) run_net(net, in, cuda, gemm, scratch, out);
  }
}

#define DEEPTF_INSTANTIATE(T) \
  template void fitting_net<T>(const FittingInputs<T>&, const Cuda&, const FittingOutputs<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
