// A layer of attention between the pairs of an atom, forwards and backwards; core/nets/attention.h
// and row_norm.h have the equations.
#pragma once

#include <algorithm>
#include <utility>

#include "core/base/gemm.h"
#include "core/nets/attention.h"
#include "core/nets/attention_block.h"
#include "core/nets/row_norm.h"
#include "engine/plan/attention_pass.h"

namespace deeptf {

// x W + b of many rows, and the way back.
template <class T>
class PackedLinear {
 public:
  PackedLinear(Aligned<T> matrix, Aligned<T> bias)
      : in_(matrix.shape[0]),
        out_(matrix.shape[1]),
        matrix_(std::move(matrix)),
        bias_(std::move(bias)),
        forward_(in_, out_, view()),
        backward_(out_, in_, view().transposed()) {}

  int64_t out() const { return out_; }

  // y [rows, out] = x W + b, or all of it added to y.
  void apply(int64_t rows, const T* x, T* y, bool add) const {
    for (int64_t row = 0; row < rows; ++row) {
      T* to = y + row * out_;
      for (int64_t k = 0; k < out_; ++k) to[k] = add ? to[k] + bias_[k] : bias_[k];
    }
    multiply<T>({rows, out_, y, out_, true}, {{in_, {x, in_, 1}, view(), &forward_}});
  }

  // x_grad [rows, in] = y_grad W^T, or that added to it.
  void pull(int64_t rows, const T* y_grad, T* x_grad, bool add) const {
    multiply<T>({rows, in_, x_grad, in_, add},
                {{out_, {y_grad, out_, 1}, view().transposed(), &backward_}});
  }

 private:
  MatrixView<T> view() const { return {matrix_.data(), out_, 1}; }

  int64_t in_, out_;
  Aligned<T> matrix_, bias_;
  PackedMatrix<T> forward_, backward_;
};

// The pairs of the atoms of a block, by atom.
template <class T>
struct AttendingPairs {
  const Context& context;
  AttentionShape shape;
  const T *direction, *gate;  // [p, 3], [p]
};

template <class T>
class AttendingLayer {
 public:
  explicit AttendingLayer(const AttentionLayerConstants<T>& constants)
      : width_(constants.scale.size()),
        epsilon_(constants.epsilon),
        attended_(constants.attended, constants.attended_bias),
        output_(constants.output, constants.output_bias),
        scale_(constants.scale),
        shift_(constants.shift) {}

  int64_t attn() const { return attended_.out() / kParts; }

  // Changes the values [p, M]. `taken` is memory for [p, attn].
  void apply(const AttendingPairs<T>& pairs, const KeptLayer<T>& kept, T* taken, T* value) const {
    const int64_t number = pairs.shape.runs.num_pairs;
    attended_.apply(number, value, kept.attended, false);
    attention<T>(shape_of(pairs), pairs.context, {kept.attended, pairs.direction, pairs.gate},
                 taken);
    std::copy_n(value, number * width_, kept.before);
    output_.apply(number, taken, kept.before, true);
    row_norm<T>({number, width_, epsilon_, kept.before}, pairs.context, value);
    for (int64_t pair = 0; pair < number; ++pair, value += width_) {
      for (int64_t m = 0; m < width_; ++m) value[m] = value[m] * scale_[m] + shift_[m];
    }
  }

  // Changes the gradient of the values. `taken` is memory for [p, attn]; grad gets the gradients in
  // what attention takes.
  void pull(const AttendingPairs<T>& pairs, const KeptLayer<T>& kept, T* taken,
            const AttentionGrads<T>& grad, T* value_grad) const {
    const int64_t number = pairs.shape.runs.num_pairs;
    for (int64_t pair = 0; pair < number; ++pair) {
      T* to = value_grad + pair * width_;
      for (int64_t m = 0; m < width_; ++m) to[m] *= scale_[m];
    }
    row_norm_grad<T>({number, width_, epsilon_, kept.before}, pairs.context, value_grad,
                     value_grad);
    output_.pull(number, value_grad, taken, false);
    attention_grad<T>(shape_of(pairs), pairs.context, {kept.attended, pairs.direction, pairs.gate},
                      taken, grad);
    attended_.pull(number, grad.attended, value_grad, true);
  }

 private:
  AttentionShape shape_of(const AttendingPairs<T>& pairs) const {
    AttentionShape shape = pairs.shape;
    shape.runs.width = attn();
    return shape;
  }

  int64_t width_;
  T epsilon_;
  PackedLinear<T> attended_, output_;
  Aligned<T> scale_, shift_;
};

}  // namespace deeptf
