// Gradient of a loss of energies and slopes; see fitting_net.h. Every block of atoms runs through
// the tangent net and back; then each gradient of a weight is one product over all atoms.
#include "core/nets/fitting_layers.h"
#include "core/nets/fitting_net.h"

namespace deeptf {
namespace {

// Arrays [n, H] that the gradients of the weights are made of; names of fitting_net.h.
template <class T>
struct Work {
  explicit Work(int64_t size)
      : x(size), tangent(size), tangent_z(size), y(size), v(size), step(size) {}
  Scratch<T> x, tangent;  // x_l and x'_l behind each layer
  Scratch<T> tangent_z;   // z'
  Scratch<T> y, v;
  Scratch<T> step;  // f(z), then the terms of the gradient of d
};

// One block through fitting_net_grad, between the products with the first matrix: z' of the first
// layer has come from the one, its y goes to the other.
template <class T>
class Reverse {
 public:
  Reverse(const FittingInputs<T>& in, const Block<T>& block, const FittingUpstream<T>& upstream,
          Work<T>& work)
      : activation_(in.shape.activation),
        net_(*block.net),
        rows_(block.rows),
        hidden_(in.shape.hidden_width()),
        widest_(in.shape.widest()),
        e_(upstream.energy_grad + block.first),
        z_(upstream.preactivation + block.first * hidden_),
        u_(upstream.backward + block.first * hidden_),
        x_(work.x.data() + block.first * hidden_),
        tangent_(work.tangent.data() + block.first * hidden_),
        tangent_z_(work.tangent_z.data() + block.first * hidden_),
        y_(work.y.data() + block.first * hidden_),
        v_(work.v.data() + block.first * hidden_),
        step_(work.step.data() + block.first * hidden_),
        first_(rows_ * hidden_),
        second_(rows_ * hidden_) {}

  void run() {
    run_tangent();
    run_back();
  }

 private:
  // x and x' of all layers.
  void run_tangent() {
    MatrixView<T> x{}, tangent{};
    for (const Layer<T>& layer : net_) {
      if (layer.column > 0) {
        multiply<T>({rows_, layer.out, tangent_z_ + layer.column, hidden_, false},
                    {{layer.in, tangent, {layer.matrix, layer.out, 1}}});
      }
      for (int64_t row = 0; row < rows_; ++row) {
        const int64_t at = row * hidden_ + layer.column;
        const T *first = first_.data() + at, *tangent_z = tangent_z_ + at;
        activate<T>(activation_, layer.out, z_ + at, step_ + at, first_.data() + at,
                    second_.data() + at);
        for (int64_t k = 0; k < layer.out; ++k) {
          x_[at + k] = step_[at + k];
          tangent_[at + k] = first[k] * tangent_z[k];
        }
        finish_layer(layer, x.from(row, 0).data, x_ + at);
        finish_layer(layer, tangent.from(row, 0).data, tangent_ + at);
      }
      x = {x_ + layer.column, hidden_, 1};
      tangent = {tangent_ + layer.column, hidden_, 1};
    }
  }

  // y, v and the terms of d.
  void run_back() {
    Scratch<T> upper(rows_ * widest_), lower(rows_ * widest_);
    T *a = upper.data(), *next = lower.data();  // [rows, widest]
    for (int64_t row = 0; row < rows_; ++row) {
      for (int64_t k = 0; k < net_.last_width(); ++k) {
        a[row * widest_ + k] = e_[row] * net_.last_matrix[k];
      }
    }
    for (const Layer<T>* layer = &net_.back();; --layer) {
      for (int64_t row = 0; row < rows_; ++row) bend(*layer, row, a + row * widest_);
      if (layer->column == 0) break;
      step_back<T>(*layer, rows_, {a, widest_, 1}, {y_ + layer->column, hidden_, 1}, next, widest_);
      std::swap(a, next);
    }
  }

  // y, v and the terms of d of one atom in one layer from a.
  void bend(const Layer<T>& layer, int64_t row, const T* a) {
    const int64_t at = row * hidden_ + layer.column;
    const T *u = u_ + at, *d = layer.step, *tangent_z = tangent_z_ + at;
    const T *first = first_.data() + at, *second = second_.data() + at;
    T *y = y_ + at, *v = v_ + at, *step = step_ + at;
    for (int64_t k = 0; k < layer.out; ++k) {
      const T along = u[k] * first[k];
      v[k] = d[k] * along;
      y[k] = d[k] * (a[k] * first[k] + u[k] * second[k] * tangent_z[k]);
      step[k] = a[k] * step[k] + along * tangent_z[k];
    }
  }

  const Activation activation_;
  const Net<T>& net_;
  const int64_t rows_, hidden_, widest_;
  const T *e_, *z_, *u_;
  T *x_, *tangent_, *tangent_z_, *y_, *v_, *step_;
  Scratch<T> first_, second_;  // f'(z), f''(z)
};

// Writes the products that give the gradients of the weights of one net, whose arrays are `grads`,
// to `all`; `one` points to the number 1. Returns the place behind them.
template <class T>
Multiplication<T>* add_weight_grads(const FittingInputs<T>& in, const Net<T>& net,
                                    const FittingUpstream<T>& upstream, const Work<T>& work,
                                    const T* one, T* const* grads, Multiplication<T>* all) {
  const int64_t hidden = in.shape.hidden_width(), start = net.first * hidden, n = net.number;
  const MatrixView<T> ones{one, 0, 0};  // [1, n]
  MatrixView<T> x{in.descriptor + net.first * in.shape.width, in.shape.width, 1};
  MatrixView<T> tangent{upstream.slope_grad + net.first * in.shape.width, in.shape.width, 1};
  const auto add = [&](int64_t rows, int64_t columns, const Products<T>& products) {
    *all++ = {{rows, columns, *grads++, columns, false}, products};
  };
  for (const Layer<T>& layer : net) {
    const int64_t at = start + layer.column;
    const MatrixView<T> y{work.y.data() + at, hidden, 1}, v{work.v.data() + at, hidden, 1};
    add(layer.in, layer.out, {{n, x.transposed(), y}, {n, tangent.transposed(), v}});
    add(1, layer.out, {{n, ones, y}});
    if (layer.has_step) add(1, layer.out, {{n, ones, {work.step.data() + at, hidden, 1}}});
    x = {work.x.data() + at, hidden, 1};
    tangent = {work.tangent.data() + at, hidden, 1};
  }
  const MatrixView<T> e{upstream.energy_grad + net.first, 1, 1};  // [n, 1], and [1, n]
  add(1, net.last_width(), {{n, e, x}, {n, ones, tangent}});
  add(1, 1, {{n, ones, e}});
  return all;
}

}  // namespace

template <class T>
void fitting_net_grad(const FittingInputs<T>& in, const Context& context,
                      const FittingUpstream<T>& upstream, const FittingGrads<T>& out) {
  const Nets<T> nets(in);
  const int64_t hidden = in.shape.hidden_width();
  Work<T> work(in.num_atoms * hidden);
  const auto arrays = static_cast<int64_t>(in.weights.size());
  Scratch<Multiplication<T>> all(nets.size() + arrays);
  add_first_products(nets, upstream.slope_grad, work.tangent_z.data(), hidden, all.data());
  multiply(context, all.data(), nets.size());
  over_blocks(in, nets, context,
              [&](const Block<T>& block) { Reverse<T>(in, block, upstream, work).run(); });
  Multiplication<T>* next =
      add_last_products<T>(nets, work.y.data(), hidden, out.descriptor, all.data());
  for (int64_t type = 0; type < nets.size(); ++type) {
    next = add_weight_grads(in, nets[type], upstream, work, nets.ones(),
                            &out.weights[type * arrays / nets.size()], next);
  }
  multiply(context, all.data(), all.size());
}

#define DEEPTF_INSTANTIATE(T)                                                \
  template void fitting_net_grad<T>(const FittingInputs<T>&, const Context&, \
                                    const FittingUpstream<T>&, const FittingGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
