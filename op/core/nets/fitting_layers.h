// Inside of the fitting nets. The products with the first matrix, the largest one, are done for all
// atoms of a type at once, so that it is read once; the other layers for blocks of atoms, which a
// thread takes up and down while they are in its cache. Names are those of fitting_net.h.
#pragma once

#include <algorithm>

#include "core/base/gemm.h"
#include "core/base/scratch.h"
#include "core/nets/fitting_net.h"

namespace deeptf {

constexpr int64_t kLeastAtoms = 12, kMostAtoms = 96;  // of a block; a type may have fewer

template <class T>
struct Layer {
  int64_t in, out;
  int64_t column;  // of its first number in arrays [n, H]
  bool residual, has_step;
  const T *matrix, *bias;
  const T* step;                                // ones for a layer without it
  const typename PackedNets<T>::Layer* packed;  // or null

  // A W and A W^T with A [any, depth].
  Product<T> forward(const MatrixView<T>& a) const {
    return {in, a, {matrix, out, 1}, packed != nullptr ? &packed->forward : nullptr};
  }
  Product<T> backward(const MatrixView<T>& a) const {
    return {out, a, {matrix, 1, out}, packed != nullptr ? &packed->backward : nullptr};
  }
};

template <class T>
struct Net {
  const Layer<T>*first_layer, *end_layer;
  const T *last_matrix, *last_bias;
  int64_t first, number;  // its atoms

  const Layer<T>* begin() const { return first_layer; }
  const Layer<T>* end() const { return end_layer; }
  const Layer<T>& front() const { return *first_layer; }
  const Layer<T>& back() const { return end_layer[-1]; }
  int64_t last_width() const { return back().out; }
};

// The nets of all types; `in` must outlive them.
template <class T>
class Nets {
 public:
  explicit Nets(const FittingInputs<T>& in)
      : ones_(in.shape.widest(), T(1)),
        layers_(in.num_types * static_cast<int64_t>(in.shape.neuron.size())),
        nets_(in.num_types) {
    const T* const* array = in.weights.data();
    Layer<T>* layer = layers_.data();
    int64_t first = 0;
    for (int32_t type = 0; type < in.num_types; ++type) {
      Net<T>& net = nets_[type];
      net.first_layer = layer;
      layer = add_layers(in, type, &array, layer);
      net.end_layer = layer;
      net.last_matrix = *array++;
      net.last_bias = *array++;
      net.first = first;
      net.number = in.atom_count[type];
      first += net.number;
    }
  }

  int64_t size() const { return nets_.size(); }
  const T* ones() const { return ones_.data(); }
  const Net<T>& operator[](int64_t type) const { return nets_[type]; }
  const Net<T>* begin() const { return nets_.begin(); }
  const Net<T>* end() const { return nets_.end(); }

 private:
  // Writes the layers of one net with the next arrays; returns the place behind them.
  Layer<T>* add_layers(const FittingInputs<T>& in, int64_t type, const T* const** array,
                       Layer<T>* to) const {
    const FittingShape& shape = in.shape;
    int64_t width = shape.width, column = 0;
    for (size_t l = 0; l < shape.neuron.size(); ++l, ++to) {
      const bool residual = shape.keeps_width(l), has_step = residual && shape.resnet_dt;
      *to = {width, shape.neuron[l], column, residual, has_step, {}, {}, ones(), nullptr};
      if (in.packed != nullptr) to->packed = &(*in.packed)[type * shape.neuron.size() + l];
      to->matrix = *(*array)++;
      to->bias = *(*array)++;
      if (has_step) to->step = *(*array)++;
      width = to->out;
      column += width;
    }
    return to;
  }

  Scratch<T> ones_;
  Scratch<Layer<T>> layers_;
  Scratch<Net<T>> nets_;
};

// Some atoms of one net.
template <class T>
struct Block {
  const Net<T>* net;
  int64_t first, rows;
};

// Calls body(block) for blocks that hold every atom once.
template <class T, class Body>
void over_blocks(const FittingInputs<T>& in, const Nets<T>& nets, const Context& context,
                 const Body& body) {
  const int64_t share = in.num_atoms / (3 * context.threads) + 1;
  const int64_t most = std::clamp(share, kLeastAtoms, kMostAtoms);
  Scratch<Block<T>> blocks(in.num_atoms / most + nets.size());
  int64_t number = 0;
  for (const Net<T>& net : nets) {
    const int64_t pieces = (net.number + most - 1) / most;
    for (int64_t k = 0; k < pieces; ++k) {
      const int64_t begin = net.number * k / pieces, end = net.number * (k + 1) / pieces;
      blocks[number++] = {&net, net.first + begin, end - begin};
    }
  }
  blocks.shorten(number);
  const int64_t cycles = most * in.shape.hidden_width() * in.shape.width / 4;
  context.parallel(blocks.size(), cycles, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) body(blocks[k]);
  });
}

// The first layers of all nets: target [n, out] = input [n, in] W; arrays are those of all atoms.
// Writes one multiplication a net to `all`; returns the place behind them.
template <class T>
Multiplication<T>* add_first_products(const Nets<T>& nets, const T* input, T* target,
                                      int64_t stride, Multiplication<T>* all) {
  for (const Net<T>& net : nets) {
    const Layer<T>& layer = net.front();
    *all++ = {{net.number, layer.out, target + net.first * stride, stride, false},
              {layer.forward({input + net.first * layer.in, layer.in, 1})}};
  }
  return all;
}

// The way back through them: target [n, in] = input [n, out] W^T.
template <class T>
Multiplication<T>* add_last_products(const Nets<T>& nets, const T* input, int64_t stride, T* target,
                                     Multiplication<T>* all) {
  for (const Net<T>& net : nets) {
    const Layer<T>& layer = net.front();
    *all++ = {{net.number, layer.in, target + net.first * layer.in, layer.in, false},
              {layer.backward({input + net.first * stride, stride, 1})}};
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
  multiply<T>({rows, layer.in, to, stride, layer.residual}, {layer.backward(v)});
}

}  // namespace deeptf
