// The arrays of embedding nets, one behind the other in one piece of memory: for each layer matrix,
// bias and, where it has one, idt.
#pragma once

#include <vector>

#include "core/curve/nodes.h"

namespace deeptf {

// Calls body(array, size) for the arrays that a layer has; `arrays` are its weights or their
// gradients.
template <class T, class Arrays, class Body>
void over_arrays(const EmbeddingLayer<T>& layer, const Arrays& arrays, const Body& body) {
  body(arrays.matrix, layer.n_in * layer.width);
  body(arrays.bias, layer.width);
  if (layer.idt != nullptr) body(arrays.idt, layer.width);
}

template <class T>
int64_t num_weights(const std::vector<EmbeddingLayer<T>>& layers) {
  int64_t sum = 0;
  for (const EmbeddingLayer<T>& layer : layers) {
    over_arrays(layer, layer, [&](const T*, int64_t size) { sum += size; });
  }
  return sum;
}

// Places in `array` for the gradients of the layers of a net.
template <class T>
std::vector<EmbeddingLayerGrad<T>> split_weights(const std::vector<EmbeddingLayer<T>>& layers,
                                                 T* array) {
  std::vector<EmbeddingLayerGrad<T>> grads;
  for (const EmbeddingLayer<T>& layer : layers) {
    EmbeddingLayerGrad<T> grad{};
    grad.matrix = array;
    grad.bias = grad.matrix + layer.n_in * layer.width;
    array = grad.bias + layer.width;
    if (layer.idt != nullptr) {
      grad.idt = array;
      array += layer.width;
    }
    grads.push_back(grad);
  }
  return grads;
}

}  // namespace deeptf
