// A layer of attention between the pairs of an atom on a device, forwards and backwards;
// core/nets/attention.h and row_norm.h have the equations. Pairs are by centre; what lies behind
// the last one has rows of its own, which nobody reads.
#pragma once

#include "core/cuda/attention.h"
#include "core/cuda/gemm.h"
#include "core/cuda/row_norm.h"
#include "engine/cuda/stage.h"
#include "engine/plan/attention_pass.h"

namespace deeptf::device {

template <class T>
struct SetBias {
  int64_t width;
  bool add;
  const T* bias;
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    to[k] = add ? to[k] + bias[k % width] : bias[k % width];
  }
};

// x W + b of many rows, and the way back.
template <class T>
class Linear {
 public:
  Linear(const Aligned<T>& matrix, const Aligned<T>& bias)
      : in_(matrix.shape[0]), out_(matrix.shape[1]), matrix_(matrix), bias_(bias) {}

  // y [rows, out] = x W + b, or all of it added to y.
  void apply(const Cuda& cuda, int64_t rows, const T* x, T* y, bool add) const {
    for_each(cuda, rows * out_, SetBias<T>{out_, add, bias_.data(), y});
    Gemm(cuda).multiply<T>({rows, out_, y, out_, true}, {in_, {x, in_, 1}, view()});
  }

  // x_grad [rows, in] = y_grad W^T, or that added to it.
  void pull(const Cuda& cuda, int64_t rows, const T* y_grad, T* x_grad, bool add) const {
    Gemm(cuda).multiply<T>({rows, in_, x_grad, in_, add},
                           {out_, {y_grad, out_, 1}, view().transposed()});
  }

 private:
  MatrixView<T> view() const { return {matrix_.data(), out_, 1}; }

  int64_t in_, out_;
  Constant<T> matrix_, bias_;
};

template <class T>
struct ScaleShift {
  int64_t width;
  const T *scale, *shift;  // shift or null
  T* to;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t m = k % width;
    to[k] = to[k] * scale[m] + (shift != nullptr ? shift[m] : T(0));
  }
};

template <class T>
struct AttendingPairs {
  const Block& block;
  AttentionShape shape;
  const T *direction, *gate;  // [p, 3], [p]
};

template <class T>
class AttendingLayer {
 public:
  explicit AttendingLayer(const AttentionLayerConstants<T>& constants)
      : width_(constants.scale.size()),
        attn_(constants.attn),
        epsilon_(constants.epsilon),
        attended_(constants.attended, constants.attended_bias),
        output_(constants.output, constants.output_bias),
        scale_(constants.scale),
        shift_(constants.shift) {}

  // Changes the values [p, M]. `taken` is memory for [p, attn].
  void apply(const AttendingPairs<T>& pairs, const KeptLayer<T>& kept, T* taken, T* value) const {
    const Cuda& cuda = pairs.block.cuda;
    const Arena::Scope scope(pairs.block.arena);
    const int64_t number = pairs.shape.runs.num_pairs, size = number * width_;
    attended_.apply(cuda, number, value, kept.attended, false);
    attention<T>(shape_of(pairs), cuda, {kept.attended, pairs.direction, pairs.gate}, taken);
    for_each(cuda, size, Copy<T, T, false>{value, kept.before});
    output_.apply(cuda, number, taken, kept.before, true);
    row_norm<T>({number, width_, epsilon_, kept.before}, cuda, value);
    for_each(cuda, size, ScaleShift<T>{width_, scale_.data(), shift_.data(), value});
  }

  // Changes the gradient of the values. `taken` is memory for [p, attn]; grad gets the gradients in
  // what attention takes.
  void pull(const AttendingPairs<T>& pairs, const KeptLayer<T>& kept, T* taken,
            const AttentionGrads<T>& grad, T* value_grad) const {
    const Cuda& cuda = pairs.block.cuda;
    const Arena::Scope scope(pairs.block.arena);
    const int64_t number = pairs.shape.runs.num_pairs, size = number * width_;
    for_each(cuda, size, ScaleShift<T>{width_, scale_.data(), nullptr, value_grad});
    T* normed = cuda.scratch<T>(size);
    for_each(cuda, size, Copy<T, T, false>{value_grad, normed});
    row_norm_grad<T>({number, width_, epsilon_, kept.before}, cuda, normed, value_grad);
    output_.pull(cuda, number, value_grad, taken, false);
    attention_grad<T>(shape_of(pairs), cuda, {kept.attended, pairs.direction, pairs.gate}, taken,
                      grad);
    attended_.pull(cuda, number, grad.attended, value_grad, true);
  }

 private:
  AttentionShape shape_of(const AttendingPairs<T>& pairs) const {
    AttentionShape shape = pairs.shape;
    shape.runs.width = attn_;
    return shape;
  }

  int64_t width_, attn_;
  T epsilon_;
  Linear<T> attended_, output_;
  Constant<T> scale_, shift_;
};

}  // namespace deeptf::device
