// The way of points through the layers of embedding nets, on a GPU; see curve/nodes.h for the
// equations. One thread an element: the nets are small, and all nets share a launch. An array
// [2, n, width] holds values, then derivatives.
#pragma once

#include "core/cuda/activation.h"
#include "core/cuda/device.h"

namespace deeptf {

// Where a net is evaluated.
struct NetPoint {
  double x, step;
  int32_t curve;  // -1: none
};

// One layer of all nets. The arrays of a net lie behind each other in `weights`.
template <class T>
struct NetLayer {
  Activation activation;
  int64_t n_in, width;
  bool has_step, residual;       // has idt
  int64_t num_points;            // n
  int64_t stride, bias_stride;   // from net to net
  const NetPoint* points;        // [n]
  const T *matrix, *bias, *idt;  // of the first net
  const T* transposed;           // [C, width, n_in]
  const T* x;                    // [2, n, n_in]
  T* z;                          // [2, n, width], or null
};

template <class T>
struct SetInput {
  NetLayer<T> layer;  // the first one
  T* x;

  DEEPTF_HD void operator()(int64_t k) const {
    x[k] = static_cast<T>(layer.points[k].x);
    x[layer.num_points + k] = 1;
  }
};

// y [2, n, width] and z.
template <class T>
struct Forward {
  NetLayer<T> layer;
  T* y;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t point = k / layer.width, m = k % layer.width, n_in = layer.n_in;
    const int64_t slopes = layer.num_points * n_in, next = layer.num_points * layer.width;
    const int32_t curve = layer.points[point].curve;
    if (curve < 0) return;
    const T* column = layer.matrix + curve * layer.stride + m;
    const T* x = layer.x + point * n_in;
    T z = layer.bias[curve * layer.bias_stride + m], dz = 0;
    for (int64_t i = 0; i < n_in; ++i) {
      z += x[i] * column[i * layer.width];
      dz += x[slopes + i] * column[i * layer.width];
    }
    if (layer.z != nullptr) {
      layer.z[k] = z;
      layer.z[next + k] = dz;
    }
    const Curvature<T> f = activate_one(layer.activation, z);
    const T step = layer.has_step ? layer.idt[curve * layer.stride + m] : T(1);
    y[k] = step * f.value + (layer.residual ? x[m % n_in] : T(0));
    y[next + k] = step * (f.first * dz) + (layer.residual ? x[slopes + m % n_in] : T(0));
  }
};

}  // namespace deeptf
