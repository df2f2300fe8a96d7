// Inside of the fitting nets. The products with the first matrix, the largest one, are done for all
// atoms of a type at once, so that it is read once; the other layers for blocks of atoms, which a
// thread takes up and down while they are in its cache. Names are those of fitting_net.h.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/gemm.h"
#include "core/nets/fitting_net.h"

namespace deeptf {

constexpr int64_t kLeastAtoms = 12, kMostAtoms = 96;  // of a block; a type may have fewer

template <class T>
struct Layer {
  int64_t in, out;
  int64_t column;  // of its first number in arrays [n, H]
  bool residual, has_step;
  const T *matrix, *bias;
  const T* step;  // ones for a layer without it
};

template <class T>
struct Net {
  std::vector<Layer<T>> layers;
  const T *last_matrix, *last_bias;
  int64_t first, number;  // its atoms

  int64_t last_width() const { return layers.back().out; }
};

template <class T>
std::vector<Net<T>> nets_of(const FittingInputs<T>& in, const std::vector<T>& ones) {
  const FittingShape& shape = in.shape;
  std::vector<Net<T>> nets(in.num_types);
  auto array = in.weights.begin();
  int64_t first = 0;
  for (int32_t type = 0; type < in.num_types; ++type) {
    Net<T>& net = nets[type];
    int64_t width = shape.width, column = 0;
    for (size_t l = 0; l < shape.neuron.size(); ++l) {
      const bool residual = shape.keeps_width(l), has_step = residual && shape.resnet_dt;
      Layer<T> layer{width, shape.neuron[l], column, residual, has_step, {}, {}, ones.data()};
      layer.matrix = *array++;
      layer.bias = *array++;
      if (has_step) layer.step = *array++;
      net.layers.push_back(layer);
      width = layer.out;
      column += width;
    }
    net.last_matrix = *array++;
    net.last_bias = *array++;
    net.first = first;
    net.number = in.atom_count[type];
    first += net.number;
  }
  return nets;
}

// Some atoms of one net.
template <class T>
struct Block {
  const Net<T>& net;
  int64_t first, rows;
};

// Calls body(block) for blocks that hold every atom once.
template <class T, class Body>
void over_blocks(const FittingInputs<T>& in, const std::vector<Net<T>>& nets,
                 const Context& context, const Body& body) {
  const int64_t share = in.num_atoms / (3 * context.threads) + 1;
  const int64_t most = std::clamp(share, kLeastAtoms, kMostAtoms);
  std::vector<Block<T>> blocks;
  for (const Net<T>& net : nets) {
    const int64_t pieces = (net.number + most - 1) / most;
    for (int64_t k = 0; k < pieces; ++k) {
      const int64_t begin = net.number * k / pieces, end = net.number * (k + 1) / pieces;
      blocks.push_back({net, net.first + begin, end - begin});
    }
  }
  const int64_t cycles = most * in.shape.hidden_width() * in.shape.width / 4;
  context.parallel(static_cast<int64_t>(blocks.size()), cycles, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) body(blocks[k]);
  });
}

// The first layers of all nets: target [n, out] = input [n, in] W; arrays are those of all atoms.
template <class T>
std::vector<Multiplication<T>> first_products(const std::vector<Net<T>>& nets, const T* input,
                                              T* target, int64_t stride) {
  std::vector<Multiplication<T>> all;
  for (const Net<T>& net : nets) {
    const Layer<T>& layer = net.layers.front();
    all.push_back(
        {{net.number, layer.out, target + net.first * stride, stride, false},
         {{layer.in, {input + net.first * layer.in, layer.in, 1}, {layer.matrix, layer.out, 1}}}});
  }
  return all;
}

// The way back through them: target [n, in] = input [n, out] W^T.
template <class T>
std::vector<Multiplication<T>> last_products(const std::vector<Net<T>>& nets, const T* input,
                                             int64_t stride, T* target) {
  std::vector<Multiplication<T>> all;
  for (const Net<T>& net : nets) {
    const Layer<T>& layer = net.layers.front();
    all.push_back(
        {{net.number, layer.in, target + net.first * layer.in, layer.in, false},
         {{layer.out, {input + net.first * stride, stride, 1}, {layer.matrix, 1, layer.out}}}});
  }
  return all;
}

// y = r x + d y for one atom.
template <class T>
void finish_layer(const Layer<T>& layer, const T* x, T* y) {
  for (int64_t k = 0; k < layer.out; ++k) y[k] *= layer.step[k];
  for (int64_t k = 0; layer.residual && k < layer.out; ++k) y[k] += x[k];
}

// From adjoints u of x and v of z of a layer to that of the layer below: to = r u + v W^T.
template <class T>
void step_back(const Layer<T>& layer, int64_t rows, MatrixView<T> u, MatrixView<T> v, T* to,
               int64_t stride) {
  for (int64_t row = 0; layer.residual && row < rows; ++row) {
    std::copy_n(u.from(row, 0).data, layer.in, to + row * stride);
  }
  multiply<T>({rows, layer.in, to, stride, layer.residual},
              {{layer.out, v, {layer.matrix, 1, layer.out}}});
}

}  // namespace deeptf
