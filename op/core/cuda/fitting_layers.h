// Layers of fitting nets for the kernels on a GPU; names are those of nets/fitting_net.h.
#pragma once

#include "core/cuda/activation.h"
#include "core/nets/fitting_net.h"

namespace deeptf {

template <class T>
struct FittingLayer {
  Activation activation;
  int64_t in, out, column;  // `column` of its first number in arrays [n, H]
  int64_t hidden;           // H
  bool residual;
  const T *matrix, *bias, *step;  // step is null for a layer without

  DEEPTF_HD T step_of(int64_t k) const { return step != nullptr ? step[k] : T(1); }
  // The place of element k [rows, out] in an array [n, H], from the first row on.
  DEEPTF_HD int64_t place(int64_t k) const { return k / out * hidden + column + k % out; }

  Product<T> forward(const MatrixView<T>& a) const { return {in, a, {matrix, out, 1}}; }
  Product<T> backward(const MatrixView<T>& a) const { return {out, a, {matrix, 1, out}}; }
};

// The net of one type and its atoms.
template <class T>
struct FittingNetOfType {
  std::vector<FittingLayer<T>> layers;
  const T *last_matrix, *last_bias;
  int64_t first, number;  // atoms

  int64_t last_width() const { return layers.back().out; }
};

template <class T>
std::vector<FittingNetOfType<T>> nets_of(const FittingInputs<T>& in) {
  const FittingShape& shape = in.shape;
  std::vector<FittingNetOfType<T>> nets;
  const T* const* array = in.weights.data();
  int64_t first = 0;
  for (int32_t type = 0; type < in.num_types; ++type) {
    FittingNetOfType<T> net{{}, nullptr, nullptr, first, in.atom_count[type]};
    int64_t width = shape.width, column = 0;
    for (size_t l = 0; l < shape.neuron.size(); ++l) {
      FittingLayer<T> layer{
          shape.activation,     width,   shape.neuron[l], column, shape.hidden_width(),
          shape.keeps_width(l), nullptr, nullptr,         nullptr};
      layer.matrix = *array++;
      layer.bias = *array++;
      if (layer.residual && shape.resnet_dt) layer.step = *array++;
      width = layer.out;
      column += width;
      net.layers.push_back(layer);
    }
    net.last_matrix = *array++;
    net.last_bias = *array++;
    first += net.number;
    nets.push_back(net);
  }
  return nets;
}

}  // namespace deeptf
