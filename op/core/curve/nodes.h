// Tables of embedding nets: values and slopes of the nets at those nodes of their grids that are
// needed, and the gradient of a table to the weights.
//
// A net maps one number x to M numbers by layers y = act(x W + b) [idt] plus a residual: x where
// the width stays, (x, x) where it doubles. Along with x its derivative x' = dx/dx_0 goes through
// the layers, z' = x' W and h' = act'(z) z'; the reverse pass over both needs act'':
//   dz = act'(z) dh + act''(z) z' dh'      dz' = act'(z) dh'      dW = x^T dz + x'^T dz'
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/activation.h"
#include "core/base/context.h"
#include "core/curve/segments.h"

namespace deeptf {

// The layers of one net; `idt` of a layer is null where it has none.
template <class T>
struct EmbeddingLayer {
  int64_t n_in, width;
  const T *matrix, *bias, *idt;
};

// Where the gradients of one layer go.
template <class T>
struct EmbeddingLayerGrad {
  T *matrix, *bias, *idt;
};

template <class T>
struct EmbeddingNets {
  Activation activation;
  std::vector<std::vector<EmbeddingLayer<T>>> layers;  // [C] nets
  CurveSegments segments;                              // of one node or more
  const int32_t* needed_row;                           // [nodes + 1]
  bool bent = false;                                   // whether curves are, see segments.h

  int64_t width() const { return layers.front().back().width; }
  int64_t num_needed() const { return needed_row[segments.num_nodes()]; }
};

// Whether a layer has a residual connection.
inline bool has_residual(int64_t n_in, int64_t width) { return width == n_in || width == 2 * n_in; }

template <class T>
using EmbeddingNetsGrad = std::vector<std::vector<EmbeddingLayerGrad<T>>>;  // [C] nets of layers

// Fills nodes [K', 2, padded M] (see sum.h): values and slopes times the step.
void embedding_nodes(const EmbeddingNets<double>& nets, const Context& context, double* nodes);
// Fills `grads` from nodes_grad [K', 2, padded M].
void embedding_nodes_grad(const EmbeddingNets<double>& nets, const Context& context,
                          const double* nodes_grad, const EmbeddingNetsGrad<double>& grads);

// The same of float32 nets, evaluated in float64, and their intervals [K' - 1, 4, padded M]
// (intervals.h).
void embedding_nodes(const EmbeddingNets<float>& nets, const Context& context, float* intervals);
void embedding_nodes_grad(const EmbeddingNets<float>& nets, const Context& context,
                          const float* intervals_grad, const EmbeddingNetsGrad<float>& grads);

}  // namespace deeptf
