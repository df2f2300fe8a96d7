// See nodes.h. Nodes are cut into pieces, whatever the number of threads; the weight
// gradients of the pieces of a net are added in their order, so that bits do not depend on threads.
#include "core/curve/nodes.h"

#include <algorithm>

#include "core/base/scratch.h"
#include "core/curve/node_pass.h"

namespace deeptf {
namespace {

template <class T>
std::vector<Piece> cut_into_pieces(const EmbeddingNets<T>& nets) {
  std::vector<Piece> pieces;
  const CurveSegments& segments = nets.segments;
  const auto place = [&](int64_t curve) {
    return nets.needed_row[segments.node_row[curve * segments.number]];
  };
  for (int64_t c = 0; c < segments.num_curves; ++c) {
    const int64_t first = place(c), nodes = place(c + 1) - first;
    const int64_t number = (nodes + kPiece - 1) / kPiece;
    for (int64_t k = 0; k < number; ++k) {
      const int64_t begin = nodes * k / number, end = nodes * (k + 1) / number;
      pieces.push_back({c, first + begin, end - begin});
    }
  }
  return pieces;
}

// The number of each needed node.
template <class T>
Scratch<int32_t> numbers_of_needed(const EmbeddingNets<T>& nets) {
  Scratch<int32_t> node(nets.num_needed());
  const int32_t* row = nets.needed_row;
  for (int64_t k = 0; k < nets.segments.num_nodes(); ++k) {
    if (row[k + 1] > row[k]) node[row[k]] = static_cast<int32_t>(k);
  }
  return node;
}

template <class T>
int64_t num_weights(const EmbeddingLayer<T>& layer) {
  return layer.width * (layer.n_in + 1 + (layer.idt != nullptr ? 1 : 0));
}

// The gradients of one piece, in one array: for each layer matrix, bias, idt.
template <class T>
std::vector<EmbeddingLayerGrad<T>> split_weights(const std::vector<EmbeddingLayer<T>>& layers,
                                                 T* array) {
  std::vector<EmbeddingLayerGrad<T>> grads;
  for (const EmbeddingLayer<T>& layer : layers) {
    T* bias = array + layer.n_in * layer.width;
    grads.push_back({array, bias, layer.idt != nullptr ? bias + layer.width : nullptr});
    array += num_weights(layer);
  }
  return grads;
}

template <class T>
int64_t num_weights(const std::vector<EmbeddingLayer<T>>& layers) {
  int64_t sum = 0;
  for (const EmbeddingLayer<T>& layer : layers) sum += num_weights(layer);
  return sum;
}

template <class T>
int64_t cost(const EmbeddingNets<T>& nets) {
  return 2 * kPiece * (num_weights(nets.layers.front()) + 20 * nets.width());
}

// Adds the gradients of one piece.
template <class T>
void add_weights(const std::vector<EmbeddingLayer<T>>& layers,
                 const std::vector<EmbeddingLayerGrad<T>>& from,
                 const std::vector<EmbeddingLayerGrad<T>>& to) {
  const auto add = [](const T* part, int64_t size, T* sum) {
    for (int64_t i = 0; i < size; ++i) sum[i] += part[i];
  };
  for (size_t l = 0; l < layers.size(); ++l) {
    add(from[l].matrix, layers[l].n_in * layers[l].width, to[l].matrix);
    add(from[l].bias, layers[l].width, to[l].bias);
    if (layers[l].idt != nullptr) add(from[l].idt, layers[l].width, to[l].idt);
  }
}

template <class T>
void set_to_zero(const std::vector<EmbeddingLayer<T>>& layers,
                 const std::vector<EmbeddingLayerGrad<T>>& grads) {
  for (size_t l = 0; l < layers.size(); ++l) {
    std::fill_n(grads[l].matrix, layers[l].n_in * layers[l].width, T(0));
    std::fill_n(grads[l].bias, layers[l].width, T(0));
    if (layers[l].idt != nullptr) std::fill_n(grads[l].idt, layers[l].width, T(0));
  }
}

}  // namespace

template <class T>
void embedding_nodes(const EmbeddingNets<T>& nets, const Context& context, T* nodes) {
  const std::vector<Piece> pieces = cut_into_pieces(nets);
  const Scratch<int32_t> node = numbers_of_needed(nets);
  context.parallel(static_cast<int64_t>(pieces.size()), cost(nets),
                   [&](int64_t begin, int64_t end) {
                     Pass<T> pass(nets, node.data());
                     for (int64_t k = begin; k < end; ++k) {
                       pass.forward(pieces[k], false);
                       pass.write(nodes);
                     }
                   });
}

template <class T>
void embedding_nodes_grad(const EmbeddingNets<T>& nets, const Context& context, const T* nodes_grad,
                          const std::vector<std::vector<EmbeddingLayerGrad<T>>>& grads) {
  const std::vector<Piece> pieces = cut_into_pieces(nets);
  const auto number = static_cast<int64_t>(pieces.size());
  const Scratch<int32_t> node = numbers_of_needed(nets);
  const int64_t weights = num_weights(nets.layers.front());  // all nets have the same widths
  Scratch<T> parts(number * weights);
  const auto part = [&](int64_t k) {
    return split_weights(nets.layers[pieces[k].curve], parts.data() + k * weights);
  };
  context.parallel(number, 3 * cost(nets), [&](int64_t begin, int64_t end) {
    Pass<T> pass(nets, node.data());
    for (int64_t k = begin; k < end; ++k) {
      pass.forward(pieces[k], true);
      pass.backward(nodes_grad, part(k));
    }
  });
  for (size_t c = 0; c < nets.layers.size(); ++c) set_to_zero(nets.layers[c], grads[c]);
  for (int64_t k = 0; k < number; ++k) {
    const int64_t curve = pieces[k].curve;
    add_weights(nets.layers[curve], part(k), grads[curve]);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                              \
  template void embedding_nodes<T>(const EmbeddingNets<T>&, const Context&, T*);           \
  template void embedding_nodes_grad<T>(const EmbeddingNets<T>&, const Context&, const T*, \
                                        const std::vector<std::vector<EmbeddingLayerGrad<T>>>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
