// See nodes.h. Nodes are cut into pieces, whatever the number of threads; the weight
// gradients of the pieces of a net are added in their order, so that bits do not depend on threads.
#include "core/curve/nodes.h"

#include <algorithm>

#include "core/base/gemm.h"
#include "core/base/lane.h"
#include "core/base/scratch.h"
#include "core/curve/sum.h"

namespace deeptf {
namespace {

constexpr int64_t kPiece = 64;  // at most so many nodes go through a net together

struct Piece {
  int64_t curve, first, count;  // first node in the whole table
};

template <class T>
std::vector<Piece> cut_into_pieces(const EmbeddingNets<T>& nets) {
  std::vector<Piece> pieces;
  for (size_t c = 0; c < nets.layers.size(); ++c) {
    const int64_t first = nets.node_row[c * nets.segments];
    const int64_t nodes = nets.node_row[(c + 1) * nets.segments] - first;
    const int64_t number = (nodes + kPiece - 1) / kPiece;
    for (int64_t k = 0; k < number; ++k) {
      const int64_t begin = nodes * k / number, end = nodes * (k + 1) / number;
      pieces.push_back({static_cast<int64_t>(c), first + begin, end - begin});
    }
  }
  return pieces;
}

// Takes pieces through the layers, one after the other, in memory that is used again. An array
// [2n, width] holds values in its first n rows and derivatives in the others; rows are whole lanes.
template <class T>
class Pass {
 public:
  explicit Pass(const EmbeddingNets<T>& nets)
      : nets_(nets), memory_(kPiece * (2 * kLane<T> + 10 * all_widths(nets))) {
    T* place = memory_.data();
    const auto take = [&](int64_t rows, int64_t width) {
      T* array = place;
      place += rows * kPiece * stride(width);
      return array;
    };
    x_.push_back(take(2, 1));
    int64_t widest = 1;
    for (const EmbeddingLayer<T>& layer : nets.layers.front()) {
      const int64_t width = layer.width;
      kept_.push_back({take(2, width), take(1, width), take(1, width)});
      x_.push_back(take(2, width));
      widest = std::max(widest, width);
    }
    dy_ = take(2, widest);
    dx_ = take(2, widest);
  }

  // With `bend` second derivatives of the activation are kept for backward().
  void forward(const Piece& piece, bool bend) {
    piece_ = piece;
    n_ = piece.count;
    layers_ = nets_.layers[piece.curve].data();
    set_input();
    for (size_t l = 0; l < kept_.size(); ++l) forward_layer(l, bend);
  }

  void write(T* nodes) const {
    const int64_t width = nets_.width(), padded = padded_width<T>(width), row = stride(width);
    for (int64_t k = 0; k < n_; ++k) {
      T *value = nodes + (piece_.first + k) * 2 * padded, *slope = value + padded;
      const T *y = x_.back() + k * row, *dy = y + n_ * row;
      std::fill_n(std::copy_n(y, width, value), padded - width, T(0));
      for (int64_t m = 0; m < width; ++m) slope[m] = step_[k] * dy[m];
      std::fill_n(slope + width, padded - width, T(0));
    }
  }

  // Fills the gradients of all layers.
  void backward(const T* nodes_grad, const std::vector<EmbeddingLayerGrad<T>>& grads) {
    const int64_t width = nets_.width(), padded = padded_width<T>(width), row = stride(width);
    for (int64_t k = 0; k < n_; ++k) {
      const T *value = nodes_grad + (piece_.first + k) * 2 * padded, *slope = value + padded;
      T *dy = dy_ + k * row, *dslope = dy + n_ * row;
      std::copy_n(value, width, dy);
      for (int64_t m = 0; m < width; ++m) dslope[m] = step_[k] * slope[m];
      std::fill_n(dy + width, row - width, T(0));
      std::fill_n(dslope + width, row - width, T(0));
    }
    for (size_t l = kept_.size(); l-- > 0;) {
      backward_layer(l, grads[l]);
      std::swap(dx_, dy_);
    }
  }

 private:
  struct Kept {
    T* z;               // [2n, width]: z and z' = x' W; later act(z) and act'(z) z' where idt needs
    T *first, *second;  // act', act'' [n, width]
  };

  static int64_t stride(int64_t width) { return round_up(width, kLane<T>); }

  static int64_t all_widths(const EmbeddingNets<T>& nets) {
    int64_t sum = 0;
    for (const EmbeddingLayer<T>& layer : nets.layers.front()) sum += stride(layer.width);
    return sum;
  }

  void set_input() {
    const int64_t row = stride(1);
    int64_t segment = piece_.curve * nets_.segments;
    for (int64_t k = 0; k < n_; ++k) {
      const int64_t node = piece_.first + k;
      while (node >= nets_.node_row[segment + 1]) ++segment;
      const double start = nets_.grid[2 * segment], step = nets_.grid[2 * segment + 1];
      const auto place = static_cast<double>(node - nets_.node_row[segment]);
      x_[0][k * row] = static_cast<T>(start + place * step);
      x_[0][(n_ + k) * row] = T(1);
      step_[k] = static_cast<T>(step);
    }
  }

  void forward_layer(size_t l, bool bend) {
    const EmbeddingLayer<T>& layer = layers_[l];
    const Kept& kept = kept_[l];
    const int64_t width = layer.width, row = stride(width), n_in = layer.n_in;
    T *y = x_[l + 1], *slope = y + n_ * row, *dz = kept.z + n_ * row;
    for (int64_t k = 0; k < n_; ++k) {
      std::fill_n(std::copy_n(layer.bias, width, kept.z + k * row), row - width, T(0));
    }
    std::fill_n(dz, n_ * row, T(0));
    multiply_add<T>(2 * n_, width, n_in, {x_[l], stride(n_in), 1}, layer.matrix, width, kept.z,
                    row);
    activate<T>(nets_.activation, n_ * row, kept.z, y, kept.first, bend ? kept.second : nullptr);
    for (int64_t k = 0; k < n_ * row; ++k) slope[k] = kept.first[k] * dz[k];
    if (layer.idt != nullptr) {
      std::copy_n(y, n_ * row, kept.z);
      for (int64_t k = 0; k < 2 * n_; ++k) {
        for (int64_t m = 0; m < width; ++m) y[k * row + m] *= layer.idt[m];
      }
    }
    if (has_residual(n_in, width)) {
      over_runs(layer, [&](int64_t to, int64_t from) {
        for (int64_t i = 0; i < n_in; ++i) y[to + i] += x_[l][from + i];
      });
    }
  }

  // Calls body(place in y, place in x) for each run of n_in numbers that the residual connects.
  template <class Body>
  void over_runs(const EmbeddingLayer<T>& layer, const Body& body) const {
    const int64_t to = stride(layer.width), from = stride(layer.n_in);
    for (int64_t k = 0; k < 2 * n_; ++k) {
      for (int64_t m = 0; m < layer.width; m += layer.n_in) body(k * to + m, k * from);
    }
  }

  // Fills the gradients of layer l from dy [2n, width], which becomes dz, and dx [2n, n_in].
  void backward_layer(size_t l, const EmbeddingLayerGrad<T>& grad) {
    const EmbeddingLayer<T>& layer = layers_[l];
    const int64_t width = layer.width, row = stride(width), n_in = layer.n_in, in = stride(n_in);
    const bool residual = l > 0 && has_residual(n_in, width);
    if (l > 0) std::fill_n(dx_, 2 * n_ * in, T(0));
    if (residual) {
      over_runs(layer, [&](int64_t to, int64_t from) {
        for (int64_t i = 0; i < n_in; ++i) dx_[from + i] += dy_[to + i];
      });
    }
    if (layer.idt != nullptr) backward_idt(layer, kept_[l], grad.idt);
    backward_activation(l, row);
    std::fill_n(grad.bias, width, T(0));
    for (int64_t k = 0; k < n_; ++k) {
      for (int64_t m = 0; m < width; ++m) grad.bias[m] += dy_[k * row + m];
    }
    const MatrixView<T> x{x_[l], in, 1}, dz{dy_, row, 1}, matrix{layer.matrix, width, 1};
    multiply<T>({n_in, width, grad.matrix, width, false}, {{2 * n_, x.transposed(), dz}});
    if (l > 0) multiply<T>({2 * n_, n_in, dx_, in, true}, {{width, dz, matrix.transposed()}});
  }

  // Through y = idt h with h = (act(z), act'(z) z'): the gradient of idt; dy becomes that of h.
  void backward_idt(const EmbeddingLayer<T>& layer, const Kept& kept, T* grad) {
    const int64_t width = layer.width, row = stride(width), half = n_ * row;
    std::fill_n(grad, width, T(0));
    for (int64_t k = 0; k < n_; ++k) {
      const T *h = kept.z + k * row, *dz = h + half, *first = kept.first + k * row;
      T *dh = dy_ + k * row, *dslope = dh + half;
      for (int64_t m = 0; m < width; ++m) {
        grad[m] += dh[m] * h[m] + dslope[m] * first[m] * dz[m];
        dh[m] *= layer.idt[m];
        dslope[m] *= layer.idt[m];
      }
    }
  }

  // Through h: dy becomes the gradient of z and z'.
  void backward_activation(size_t l, int64_t row) {
    const T *first = kept_[l].first, *second = kept_[l].second, *dz = kept_[l].z + n_ * row;
    T *dh = dy_, *dslope = dy_ + n_ * row;
    for (int64_t k = 0; k < n_ * row; ++k) {
      dh[k] = first[k] * dh[k] + second[k] * dz[k] * dslope[k];
      dslope[k] *= first[k];
    }
  }

  const EmbeddingNets<T>& nets_;
  const EmbeddingLayer<T>* layers_ = nullptr;
  Piece piece_{};
  int64_t n_ = 0;
  T step_[kPiece];  // at each node
  Scratch<T> memory_;
  std::vector<T*> x_;  // input of each layer, then the output of the last
  std::vector<Kept> kept_;
  T *dy_, *dx_;
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
void embedding_nodes(const EmbeddingNets<T>& nets, const Context& context, T* nodes) {
  const std::vector<Piece> pieces = cut_into_pieces(nets);
  context.parallel(static_cast<int64_t>(pieces.size()), cost(nets),
                   [&](int64_t begin, int64_t end) {
                     Pass<T> pass(nets);
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
  std::vector<std::vector<T>> parts(pieces.size());
  context.parallel(static_cast<int64_t>(pieces.size()), 3 * cost(nets),
                   [&](int64_t begin, int64_t end) {
                     Pass<T> pass(nets);
                     for (int64_t k = begin; k < end; ++k) {
                       const auto& layers = nets.layers[pieces[k].curve];
                       int64_t size = 0;
                       for (const EmbeddingLayer<T>& layer : layers) size += num_weights(layer);
                       parts[k].resize(size);
                       pass.forward(pieces[k], true);
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

#define DEEPTF_INSTANTIATE(T)                                                              \
  template void embedding_nodes<T>(const EmbeddingNets<T>&, const Context&, T*);           \
  template void embedding_nodes_grad<T>(const EmbeddingNets<T>&, const Context&, const T*, \
                                        const std::vector<std::vector<EmbeddingLayerGrad<T>>>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
