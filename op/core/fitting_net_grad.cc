// Gradient of a loss of energies and slopes; see fitting_net.h. First every block of atoms runs
// through the tangent net and back; then each gradient of a weight is one product over all atoms.
#include "core/fitting_layers.h"
#include "core/fitting_net.h"
#include "core/scratch.h"

namespace deeptf {
namespace {

// Arrays [n, H] that the gradients of the weights are made of; names of fitting_net.h.
template <class T>
struct Work {
  explicit Work(int64_t size) : x(size), tangent(size), y(size), v(size), step(size) {}
  Scratch<T> x, tangent;  // x_l and x'_l behind each layer
  Scratch<T> y, v;
  Scratch<T> step;  // f(z), then the terms of the gradient of d
};

// One block through fitting_net_grad, but for the gradients of the weights.
template <class T>
class Reverse {
 public:
  Reverse(const FittingInputs<T>& in, const Block<T>& block, const FittingUpstream<T>& upstream,
          Work<T>& work, T* descriptor_grad)
      : activation_(in.shape.activation),
        net_(block.net),
        rows_(block.rows),
        hidden_(in.shape.hidden_width()),
        widest_(in.shape.widest()),
        descriptor_{in.descriptor + block.first * in.shape.width, in.shape.width, 1},
        c_{upstream.slope_grad + block.first * in.shape.width, in.shape.width, 1},
        e_(upstream.energy_grad + block.first),
        z_(upstream.preactivation + block.first * hidden_),
        u_(upstream.backward + block.first * hidden_),
        x_(work.x.data() + block.first * hidden_),
        tangent_(work.tangent.data() + block.first * hidden_),
        y_(work.y.data() + block.first * hidden_),
        v_(work.v.data() + block.first * hidden_),
        step_(work.step.data() + block.first * hidden_),
        grad_(descriptor_grad + block.first * in.shape.width),
        first_(rows_ * hidden_),
        second_(rows_ * hidden_),
        tangent_z_(rows_ * hidden_) {}

  void run() {
    run_tangent();
    run_back();
  }

 private:
  // x and x' of all layers.
  void run_tangent() {
    MatrixView<T> x = descriptor_, tangent = c_;
    for (const Layer<T>& layer : net_.layers) {
      multiply<T>({rows_, layer.out, tangent_z_.data() + layer.column, hidden_, false},
                  {{layer.in, tangent, {layer.matrix, layer.out, 1}}});
      for (int64_t row = 0; row < rows_; ++row) {
        const int64_t at = row * hidden_ + layer.column;
        const T *first = first_.data() + at, *tangent_z = tangent_z_.data() + at;
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

  // y, v, the terms of d, and the gradient of x.
  void run_back() {
    Scratch<T> upper(rows_ * widest_), lower(rows_ * widest_);
    T *a = upper.data(), *next = lower.data();  // [rows, widest]
    for (int64_t row = 0; row < rows_; ++row) {
      for (int64_t k = 0; k < net_.last_width(); ++k) {
        a[row * widest_ + k] = e_[row] * net_.last_matrix[k];
      }
    }
    for (auto layer = net_.layers.rbegin(); layer != net_.layers.rend(); ++layer) {
      for (int64_t row = 0; row < rows_; ++row) bend(*layer, row, a + row * widest_);
      const bool lowest = layer->column == 0;
      step_back<T>(*layer, rows_, {a, widest_, 1}, {y_ + layer->column, hidden_, 1},
                   lowest ? grad_ : next, lowest ? layer->in : widest_);
      std::swap(a, next);
    }
  }

  // y, v and the terms of d of one atom in one layer from a.
  void bend(const Layer<T>& layer, int64_t row, const T* a) {
    const int64_t at = row * hidden_ + layer.column;
    const T *u = u_ + at, *d = layer.step, *tangent_z = tangent_z_.data() + at;
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
  const MatrixView<T> descriptor_, c_;
  const T *e_, *z_, *u_;
  T *x_, *tangent_, *y_, *v_, *step_, *grad_;
  Scratch<T> first_, second_, tangent_z_;  // f'(z), f''(z), z'
};

// The gradients of the weights of one net; `grads` are its arrays.
template <class T>
void find_weight_grads(const FittingInputs<T>& in, const Net<T>& net, const ParallelFor& parallel,
                       const FittingUpstream<T>& upstream, const Work<T>& work, T* const* grads) {
  const int64_t hidden = in.shape.hidden_width(), start = net.first * hidden, n = net.number;
  const T one = 1;
  const MatrixView<T> ones{&one, 0, 0};  // [1, n]
  MatrixView<T> x{in.descriptor + net.first * in.shape.width, in.shape.width, 1};
  MatrixView<T> tangent{upstream.slope_grad + net.first * in.shape.width, in.shape.width, 1};
  for (const Layer<T>& layer : net.layers) {
    const int64_t at = start + layer.column;
    const MatrixView<T> y{work.y.data() + at, hidden, 1}, v{work.v.data() + at, hidden, 1};
    multiply<T>(parallel, {layer.in, layer.out, *grads++, layer.out, false},
                {{n, x.transposed(), y}, {n, tangent.transposed(), v}});
    multiply<T>(parallel, {1, layer.out, *grads++, layer.out, false}, {{n, ones, y}});
    if (layer.has_step) {
      const MatrixView<T> step{work.step.data() + at, hidden, 1};
      multiply<T>(parallel, {1, layer.out, *grads++, layer.out, false}, {{n, ones, step}});
    }
    x = {work.x.data() + at, hidden, 1};
    tangent = {work.tangent.data() + at, hidden, 1};
  }
  const MatrixView<T> e{upstream.energy_grad + net.first, 1, 1};  // [n, 1], and [1, n]
  multiply<T>({1, net.last_width(), *grads++, net.last_width(), false},
              {{n, e, x}, {n, ones, tangent}});
  multiply<T>({1, 1, *grads++, 1, false}, {{n, ones, e}});
}

}  // namespace

template <class T>
void fitting_net_grad(const FittingInputs<T>& in, const ParallelFor& parallel,
                      const FittingUpstream<T>& upstream, const FittingGrads<T>& out) {
  const std::vector<T> ones(in.shape.widest(), T(1));
  const std::vector<Net<T>> nets = nets_of(in, ones);
  Work<T> work(in.num_atoms * in.shape.hidden_width());
  over_blocks(in, nets, parallel, [&](const Block<T>& block) {
    Reverse<T>(in, block, upstream, work, out.descriptor).run();
  });
  const size_t arrays = in.shape.array_shapes().size();
  for (int32_t type = 0; type < in.num_types; ++type) {
    find_weight_grads(in, nets[type], parallel, upstream, work, &out.weights[type * arrays]);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                    \
  template void fitting_net_grad<T>(const FittingInputs<T>&, const ParallelFor&, \
                                    const FittingUpstream<T>&, const FittingGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
