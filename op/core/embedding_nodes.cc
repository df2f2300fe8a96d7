// See embedding_nodes.h. Nodes are cut into pieces of fixed size; the weight gradients of the
// pieces of a net are added in their order, so that bits do not depend on threads.
#include "core/embedding_nodes.h"

#include <algorithm>

#include "core/embedding_sum.h"
#include "core/gemm.h"

namespace deeptf {
namespace {

constexpr int64_t kPiece = 64;  // nodes that go through a net together

struct Piece {
  int64_t curve, first, count;  // first node in the whole table
};

template <class T>
std::vector<Piece> cut_into_pieces(const EmbeddingNets<T>& nets) {
  std::vector<Piece> pieces;
  for (size_t c = 0; c < nets.layers.size(); ++c) {
    const int64_t end = nets.node_row[(c + 1) * nets.segments];
    for (int64_t node = nets.node_row[c * nets.segments]; node < end; node += kPiece) {
      pieces.push_back({static_cast<int64_t>(c), node, std::min(kPiece, end - node)});
    }
  }
  return pieces;
}

// One piece on its way through the layers. Arrays hold values in the first `count` rows and
// derivatives in the others.
template <class T>
class Pass {
 public:
  Pass(const EmbeddingNets<T>& nets, const Piece& piece)
      : nets_(nets), layers_(nets.layers[piece.curve]), piece_(piece), n_(piece.count) {
    x_.resize(layers_.size() + 1);
    int64_t segment = piece.curve * nets.segments;
    for (int64_t node = piece.first; node < piece.first + n_; ++node) {
      while (node >= nets.node_row[segment + 1]) ++segment;
      const double start = nets.grid[2 * segment], step = nets.grid[2 * segment + 1];
      const auto place = static_cast<double>(node - nets.node_row[segment]);
      x_[0].push_back(static_cast<T>(start + place * step));
      step_.push_back(static_cast<T>(step));
    }
    x_[0].resize(2 * n_, T(1));
  }

  void forward(bool keep) {
    if (keep) kept_.resize(layers_.size());
    for (size_t l = 0; l < layers_.size(); ++l) {
      Kept kept;
      forward_layer(l, keep, &kept);
      if (keep) kept_[l] = std::move(kept);
    }
  }

  void write(T* nodes) const {
    const int64_t width = nets_.width(), padded = padded_width<T>(width);
    for (int64_t k = 0; k < n_; ++k) {
      T* value = nodes + (piece_.first + k) * 2 * padded;
      const T *y = x_.back().data() + k * width, *slope = y + n_ * width;
      std::fill_n(std::copy_n(y, width, value), padded - width, T(0));
      for (int64_t m = 0; m < padded; ++m)
        value[padded + m] = m < width ? step_[k] * slope[m] : T(0);
    }
  }

  // Fills the gradients of all layers; needs forward(true).
  void backward(const T* nodes_grad, const std::vector<EmbeddingLayerGrad<T>>& grads) {
    const int64_t width = nets_.width(), padded = padded_width<T>(width);
    std::vector<T> dy(2 * n_ * width);
    for (int64_t k = 0; k < n_; ++k) {
      const T* from = nodes_grad + (piece_.first + k) * 2 * padded;
      std::copy_n(from, width, dy.data() + k * width);
      for (int64_t m = 0; m < width; ++m) dy[(n_ + k) * width + m] = step_[k] * from[padded + m];
    }
    for (size_t l = layers_.size(); l-- > 0;) dy = backward_layer(l, std::move(dy), grads[l]);
  }

 private:
  struct Kept {
    std::vector<T> tangent;        // z' [n, width]
    std::vector<T> first, second;  // act', act'' [n, width]
    std::vector<T> hidden;         // act(z), act'(z) z' [2n, width]; only with idt
  };

  void forward_layer(size_t l, bool keep, Kept* kept) {
    const EmbeddingLayer<T>& layer = layers_[l];
    const int64_t width = layer.width, size = n_ * width;
    const T* x = x_[l].data();
    std::vector<T> y(2 * size), first(size), second(keep ? size : 0);
    for (int64_t k = 0; k < n_; ++k) std::copy_n(layer.bias, width, y.data() + k * width);
    multiply_add<T>(2 * n_, width, layer.n_in, {x, layer.n_in, 1}, layer.matrix, width, y.data(),
                    width);
    activate<T>(nets_.activation, size, y.data(), y.data(), first.data(),
                keep ? second.data() : nullptr);
    if (keep) kept->tangent.assign(y.begin() + size, y.end());
    for (int64_t k = 0; k < size; ++k) y[size + k] *= first[k];
    if (layer.idt != nullptr) {
      if (keep) kept->hidden = y;
      for (int64_t row = 0; row < 2 * n_; ++row) {
        for (int64_t m = 0; m < width; ++m) y[row * width + m] *= layer.idt[m];
      }
    }
    if (has_residual(layer.n_in, width)) {
      over_halves(layer, [&](int64_t to, int64_t from) {
        for (int64_t i = 0; i < layer.n_in; ++i) y[to + i] += x[from + i];
      });
    }
    kept->first = std::move(first);
    kept->second = std::move(second);
    x_[l + 1] = std::move(y);
  }

  // Calls body(place in y, place in x) for each run of n_in numbers that the residual connects.
  template <class Body>
  void over_halves(const EmbeddingLayer<T>& layer, const Body& body) const {
    for (int64_t row = 0; row < 2 * n_; ++row) {
      for (int64_t m = 0; m < layer.width; m += layer.n_in) {
        body(row * layer.width + m, row * layer.n_in);
      }
    }
  }

  // Fills the gradients of layer l from dy [2n, width]; returns dx [2n, n_in].
  std::vector<T> backward_layer(size_t l, std::vector<T> dy, const EmbeddingLayerGrad<T>& grad) {
    const EmbeddingLayer<T>& layer = layers_[l];
    const Kept& kept = kept_[l];
    const int64_t width = layer.width, n_in = layer.n_in, size = n_ * width;
    std::vector<T> dx(2 * n_ * n_in, T(0));
    if (has_residual(n_in, width)) {
      over_halves(layer, [&](int64_t to, int64_t from) {
        for (int64_t i = 0; i < n_in; ++i) dx[from + i] += dy[to + i];
      });
    }
    if (layer.idt != nullptr) {
      std::fill_n(grad.idt, width, T(0));
      for (int64_t row = 0; row < 2 * n_; ++row) {
        T *d = dy.data() + row * width, *sum = grad.idt;
        const T* hidden = kept.hidden.data() + row * width;
        for (int64_t m = 0; m < width; ++m) {
          sum[m] += d[m] * hidden[m];
          d[m] *= layer.idt[m];
        }
      }
    }
    for (int64_t k = 0; k < size; ++k) {
      dy[k] = kept.first[k] * dy[k] + kept.second[k] * kept.tangent[k] * dy[size + k];
      dy[size + k] *= kept.first[k];
    }
    std::fill_n(grad.bias, width, T(0));
    for (int64_t row = 0; row < n_; ++row) {
      for (int64_t m = 0; m < width; ++m) grad.bias[m] += dy[row * width + m];
    }
    const MatrixView<T> x{x_[l].data(), n_in, 1}, dz{dy.data(), width, 1};
    multiply<T>({n_in, width, grad.matrix, width, false}, {{2 * n_, x.transposed(), dz}});
    if (l > 0) {
      const MatrixView<T> matrix{layer.matrix, width, 1};
      multiply<T>({2 * n_, n_in, dx.data(), n_in, true}, {{width, dz, matrix.transposed()}});
    }
    return dx;
  }

  const EmbeddingNets<T>& nets_;
  const std::vector<EmbeddingLayer<T>>& layers_;
  Piece piece_;
  int64_t n_;
  std::vector<T> step_;            // at each node
  std::vector<std::vector<T>> x_;  // input of each layer, then the output of the last
  std::vector<Kept> kept_;
};

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
int64_t cost(const EmbeddingNets<T>& nets) {
  int64_t weights = 0;
  for (const EmbeddingLayer<T>& layer : nets.layers.front()) weights += num_weights(layer);
  return 2 * kPiece * (weights + 20 * nets.width());
}

}  // namespace

template <class T>
void embedding_nodes(const EmbeddingNets<T>& nets, const ParallelFor& parallel, T* nodes) {
  const std::vector<Piece> pieces = cut_into_pieces(nets);
  parallel(static_cast<int64_t>(pieces.size()), cost(nets), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      Pass<T> pass(nets, pieces[k]);
      pass.forward(false);
      pass.write(nodes);
    }
  });
}

template <class T>
void embedding_nodes_grad(const EmbeddingNets<T>& nets, const ParallelFor& parallel,
                          const T* nodes_grad,
                          const std::vector<std::vector<EmbeddingLayerGrad<T>>>& grads) {
  const std::vector<Piece> pieces = cut_into_pieces(nets);
  std::vector<std::vector<T>> parts(pieces.size());
  parallel(static_cast<int64_t>(pieces.size()), 3 * cost(nets), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const auto& layers = nets.layers[pieces[k].curve];
      int64_t size = 0;
      for (const EmbeddingLayer<T>& layer : layers) size += num_weights(layer);
      parts[k].resize(size);
      Pass<T> pass(nets, pieces[k]);
      pass.forward(true);
      pass.backward(nodes_grad, split_weights(layers, parts[k].data()));
    }
  });
  std::vector<bool> seen(nets.layers.size(), false);
  for (size_t k = 0; k < pieces.size(); ++k) {
    const auto& layers = nets.layers[pieces[k].curve];
    const auto from = split_weights(layers, parts[k].data());
    const bool add = seen[pieces[k].curve];
    seen[pieces[k].curve] = true;
    for (size_t l = 0; l < layers.size(); ++l) {
      const EmbeddingLayerGrad<T>& to = grads[pieces[k].curve][l];
      const auto collect = [&](const T* part, int64_t size, T* sum) {
        for (int64_t i = 0; i < size; ++i) sum[i] = add ? sum[i] + part[i] : part[i];
      };
      collect(from[l].matrix, layers[l].n_in * layers[l].width, to.matrix);
      collect(from[l].bias, layers[l].width, to.bias);
      if (layers[l].idt != nullptr) collect(from[l].idt, layers[l].width, to.idt);
    }
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                  \
  template void embedding_nodes<T>(const EmbeddingNets<T>&, const ParallelFor&, T*);           \
  template void embedding_nodes_grad<T>(const EmbeddingNets<T>&, const ParallelFor&, const T*, \
                                        const std::vector<std::vector<EmbeddingLayerGrad<T>>>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
