// Gradient of a loss of energies and slopes; see fitting_net.h. All atoms of a type run through the
// tangent net and back; then each gradient of a matrix is one product over them, and the others are
// sums over the rows of what is at hand, in one launch.
#include "core/cuda/arrays.h"
#include "core/cuda/column_sums.h"
#include "core/cuda/fitting_layers.h"
#include "core/cuda/fitting_net.h"
#include "core/cuda/gemm.h"

namespace deeptf {
namespace {

// Arrays [n, H]; names of nets/fitting_net.h.
template <class T>
struct Work {
  T *x, *tangent;  // x_l and x'_l behind each layer
  T* tangent_z;    // z'
  T *y, *v;
  T* step;  // terms of the gradient of d
  T* a;     // [n, widest] adjoint of x_l

  Work from(int64_t row, int64_t hidden, int64_t widest) const {
    const int64_t at = row * hidden;
    return {x + at, tangent + at, tangent_z + at, y + at, v + at, step + at, a + row * widest};
  }
};

// x_l and x'_l.
template <class T>
struct HiddenTangent {
  FittingLayer<T> layer;
  const T* z;
  Work<T> work;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t at = layer.place(k);
    const T d = layer.step_of(k % layer.out);
    const Curvature<T> f = activate_one(layer.activation, z[at]);
    work.x[at] = d * f.value + (layer.residual ? work.x[at - layer.out] : T(0));
    work.tangent[at] =
        d * (f.first * work.tangent_z[at]) + (layer.residual ? work.tangent[at - layer.out] : T(0));
  }
};

// a_L = e w
template <class T>
struct SetAdjoint {
  int64_t width;
  const T *energy_grad, *last_matrix;
  T* a;

  DEEPTF_HD void operator()(int64_t k) const {
    a[k] = energy_grad[k / width] * last_matrix[k % width];
  }
};

// y, v and the terms of d from a [n, out].
template <class T>
struct BendBack {
  FittingLayer<T> layer;
  const T *z, *u;
  Work<T> work;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t at = layer.place(k);
    const Curvature<T> f = activate_one(layer.activation, z[at]);
    const T d = layer.step_of(k % layer.out), a = work.a[k], along = u[at] * f.first;
    work.v[at] = d * along;
    work.y[at] = d * (a * f.first + u[at] * f.second * work.tangent_z[at]);
    work.step[at] = a * f.value + along * work.tangent_z[at];
  }
};

// Whose sums over the atoms are the gradients of the vectors of a net: y of all layers, the terms
// of d of all layers, e x_L + x'_L, e.
template <class T>
struct VectorTerms {
  FittingLayer<T> last;
  Work<T> work;
  const T* energy_grad;

  DEEPTF_HD T operator()(int64_t row, int64_t column) const {
    const int64_t hidden = last.hidden, start = row * hidden, k = column - 2 * hidden;
    if (column < hidden) return work.y[start + column];
    if (k < 0) return work.step[start + column - hidden];
    if (k == last.out) return energy_grad[row];
    const int64_t at = start + last.column + k;
    return energy_grad[row] * work.x[at] + work.tangent[at];
  }
};

// One type.
template <class T>
class Reverse {
 public:
  Reverse(const FittingInputs<T>& in, const FittingNetOfType<T>& net, const Cuda& cuda,
          const Gemm& gemm, const FittingUpstream<T>& upstream, const Work<T>& work)
      : net_(net),
        cuda_(cuda),
        gemm_(gemm),
        n_(net.number),
        width_(in.shape.width),
        hidden_(in.shape.hidden_width()),
        work_(work.from(net.first, hidden_, in.shape.widest())),
        x_(in.descriptor + net.first * width_),
        direction_(upstream.slope_grad + net.first * width_),
        e_(upstream.energy_grad + net.first),
        z_(upstream.preactivation + net.first * hidden_),
        u_(upstream.backward + net.first * hidden_) {}

  void run_tangent() const {
    MatrixView<T> tangent{direction_, width_, 1};
    for (const FittingLayer<T>& layer : net_.layers) {
      gemm_.multiply<T>({n_, layer.out, work_.tangent_z + layer.column, hidden_, false},
                        layer.forward(tangent));
      for_each(cuda_, n_ * layer.out, HiddenTangent<T>{layer, z_, work_});
      tangent = {work_.tangent + layer.column, hidden_, 1};
    }
  }

  void run_back(T* descriptor_grad) const {
    const int64_t last = net_.last_width();
    for_each(cuda_, n_ * last, SetAdjoint<T>{last, e_, net_.last_matrix, work_.a});
    for (size_t l = net_.layers.size(); l-- > 0;) {
      const FittingLayer<T>& layer = net_.layers[l];
      for_each(cuda_, n_ * layer.out, BendBack<T>{layer, z_, u_, work_});
      const Product<T> product = layer.backward({work_.y + layer.column, hidden_, 1});
      if (l == 0) {
        gemm_.multiply<T>({n_, width_, descriptor_grad + net_.first * width_, width_, false},
                          product);
      } else {  // r a stays where it is
        gemm_.multiply<T>({n_, layer.in, work_.a, layer.in, layer.residual}, product);
      }
    }
  }

  void add_weight_grads(T* const* grads) const {
    const FittingLayer<T>& last = net_.layers.back();
    const int64_t columns = 2 * hidden_ + last.out + 1, parts = row_parts(n_);
    T* sums = cuda_.scratch<T>(parts * columns);
    column_sums(cuda_, VectorTerms<T>{last, work_, e_}, n_, columns, sums);
    std::vector<AddParts<T, T>> vectors;
    const auto add = [&](int64_t column, int64_t size) {
      vectors.push_back({size, sums + column, parts, columns, *grads++});
    };
    MatrixView<T> x{x_, width_, 1}, tangent{direction_, width_, 1};
    for (const FittingLayer<T>& layer : net_.layers) {
      const int64_t at = layer.column;
      T* grad = *grads++;
      gemm_.multiply<T>({layer.in, layer.out, grad, layer.out, false},
                        {n_, x.transposed(), {work_.y + at, hidden_, 1}});
      gemm_.multiply<T>({layer.in, layer.out, grad, layer.out, true},
                        {n_, tangent.transposed(), {work_.v + at, hidden_, 1}});
      add(at, layer.out);
      if (layer.step != nullptr) add(hidden_ + at, layer.out);
      x = {work_.x + at, hidden_, 1};
      tangent = {work_.tangent + at, hidden_, 1};
    }
    add(2 * hidden_, last.out);
    add(2 * hidden_ + last.out, 1);
    over_items(cuda_, vectors);
  }

 private:
  const FittingNetOfType<T>& net_;
  const Cuda& cuda_;
  const Gemm& gemm_;
  int64_t n_, width_, hidden_;
  Work<T> work_;
  const T *x_, *direction_, *e_, *z_, *u_;
};

}  // namespace

template <class T>
void fitting_net_grad(const FittingInputs<T>& in, const Cuda& cuda,
                      const FittingUpstream<T>& upstream, const FittingGrads<T>& out) {
  const Gemm gemm(cuda);
  const int64_t size = in.num_atoms * in.shape.hidden_width();
  const Work<T> work{cuda.scratch<T>(size),
                     cuda.scratch<T>(size),
                     cuda.scratch<T>(size),
                     cuda.scratch<T>(size),
                     cuda.scratch<T>(size),
                     cuda.scratch<T>(size),
                     cuda.scratch<T>(in.num_atoms * in.shape.widest())};
  const auto nets = nets_of(in);
  for (size_t type = 0; type < nets.size(); ++type) {
    const Reverse<T> reverse(in, nets[type], cuda, gemm, upstream, work);
    reverse.run_tangent();
    reverse.run_back(out.descriptor);
    reverse.add_weight_grads(&out.weights[type * out.weights.size() / nets.size()]);
  }
}

#define DEEPTF_INSTANTIATE(T)                                             \
  template void fitting_net_grad<T>(const FittingInputs<T>&, const Cuda&, \
                                    const FittingUpstream<T>&, const FittingGrads<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
