// Nodes of one net on their way through its layers, and back; see nodes.h for the equations.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/gemm.h"
#include "core/base/lane.h"
#include "core/base/scratch.h"
#include "core/curve/nodes.h"
#include "core/curve/sum.h"

namespace deeptf {

constexpr int64_t kPiece = 64;  // at most so many points go through a net together

// Where a net is evaluated: for one node, or for two where a segment ends and the next one begins.
struct Point {
  double x, step[2];     // of each of the nodes
  int64_t place, count;  // of the first node in the table; number of nodes
};

struct Piece {
  int64_t curve, first, count;  // points
};

// Takes pieces through the layers, one after the other, in memory that is used again. An array
// [2n, width] holds values in its first n rows and derivatives in the others; rows are whole lanes.
template <class T>
class Pass {
 public:
  Pass(const EmbeddingNets<T>& nets, const Point* points)
      : nets_(nets), points_(points), memory_(kPiece * (2 * kLane<T> + 10 * all_widths(nets))) {
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
      const Point& point = points_[piece_.first + k];
      const T *y = x_.back() + k * row, *dy = y + n_ * row;
      for (int64_t i = 0; i < point.count; ++i) {
        T *value = nodes + (point.place + i) * 2 * padded, *slope = value + padded;
        const T step = static_cast<T>(point.step[i]);
        std::fill_n(std::copy_n(y, width, value), padded - width, T(0));
        for (int64_t m = 0; m < width; ++m) slope[m] = step * dy[m];
        std::fill_n(slope + width, padded - width, T(0));
      }
    }
  }

  // Fills the gradients of all layers.
  void backward(const T* nodes_grad, const std::vector<EmbeddingLayerGrad<T>>& grads) {
    const int64_t width = nets_.width(), padded = padded_width<T>(width), row = stride(width);
    std::fill_n(dy_, 2 * n_ * row, T(0));
    for (int64_t k = 0; k < n_; ++k) {
      const Point& point = points_[piece_.first + k];
      T *dy = dy_ + k * row, *dslope = dy + n_ * row;
      for (int64_t i = 0; i < point.count; ++i) {
        const T *value = nodes_grad + (point.place + i) * 2 * padded, *slope = value + padded;
        const T step = static_cast<T>(point.step[i]);
        for (int64_t m = 0; m < width; ++m) dy[m] += value[m];
        for (int64_t m = 0; m < width; ++m) dslope[m] += step * slope[m];
      }
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
    for (int64_t k = 0; k < n_; ++k) {
      x_[0][k * row] = static_cast<T>(points_[piece_.first + k].x);
      x_[0][(n_ + k) * row] = T(1);
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
  const Point* points_;
  const EmbeddingLayer<T>* layers_ = nullptr;
  Piece piece_{};
  int64_t n_ = 0;
  Scratch<T> memory_;
  std::vector<T*> x_;  // input of each layer, then the output of the last
  std::vector<Kept> kept_;
  T *dy_, *dx_;
};

}  // namespace deeptf
