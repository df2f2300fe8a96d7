// See embedding_nodes.h. Nets are evaluated in float64, whatever their precision; weights are first
// brought together, so that a launch has one layer of all nets. The points of each net are cut into
// parts, whose gradients are added in their order: bits do not depend on the launch.
#include <algorithm>

#include "core/cuda/arrays.h"
#include "core/cuda/embedding_nodes.h"
#include "core/cuda/intervals.h"
#include "core/cuda/node_pass.h"
#include "core/curve/net_arrays.h"

namespace deeptf {
namespace {

// Into how many parts the points of a net are cut: so many threads work on few nets too.
int64_t parts_of(int64_t curves) { return curves <= 64 ? 8 : 1; }

// The layers of all nets on their way.
template <class T>
class NodePass {
 public:
  NodePass(const EmbeddingNets<T>& nets, int64_t num_points, const Cuda& cuda)
      : nets_(nets),
        cuda_(cuda),
        curves_(nets.segments.num_curves),
        n_(num_points),
        stride_(num_weights(nets.layers.front())) {
    auto* points = cuda.scratch<NetPoint>(n_);
    for_each(cuda, n_, FindPoints{nets.segments, nets.needed_row, nets.bent, points});
    points_ = points;
    bring_together();
  }

  void forward() {
    double* x = array(1);
    for_each(cuda_, n_, SetInput<double>{layers_.front(), x});
    for (NodeLayer& layer : layers_) {
      layer.x = x;
      layer.z = array(layer.width);
      x = array(layer.width);
      for_each(cuda_, n_ * layer.width, Forward<double>{layer, x});
    }
    output_ = x;
  }

  void write(double* nodes) const {
    const int64_t width = nets_.width(), padded = padded_width<double>(width);
    for_each(cuda_, n_ * 2 * padded, WriteNodes{n_, width, padded, points_, output_, nodes});
  }

  void backward(const double* nodes_grad, const EmbeddingNetsGrad<T>& grads) {
    const int64_t width = nets_.width(), padded = padded_width<double>(width), w = widest();
    double *dy = array(w), *dx = array(w), *dz = array(w), *terms = cuda_.scratch<double>(n_ * w);
    const int64_t parts = parts_of(curves_);
    auto* sums = cuda_.scratch<double>(parts * curves_ * stride_);
    for_each(cuda_, n_ * 2 * width, ReadNodesGrad{n_, width, padded, points_, nodes_grad, dy});
    for (size_t l = layers_.size(); l-- > 0;) {
      NodeLayer& layer = layers_[l];
      for_each(cuda_, n_ * layer.width, Bend{layer, dy, dz, terms});
      const WeightGrad grad{layer,
                            nets_.segments,
                            nets_.needed_row,
                            dz,
                            terms,
                            parts,
                            sums + (layer.matrix - weights_)};
      for_each(cuda_, parts * curves_ * grad.rows() * layer.width, grad);
      if (l == 0) break;
      auto* transposed = cuda_.scratch<double>(curves_ * layer.n_in * layer.width);
      for_each(cuda_, curves_ * layer.n_in * layer.width, Transpose{layer, transposed});
      layer.transposed = transposed;
      for_each(cuda_, n_ * 2 * layer.n_in, Backward{layer, dy, dz, dx});
      std::swap(dx, dy);
    }
    add_parts(sums, grads);
  }

 private:
  double* array(int64_t width) const { return cuda_.scratch<double>(2 * n_ * width); }

  int64_t widest() const {
    int64_t width = 0;
    for (const NodeLayer& layer : layers_) width = std::max(width, layer.width);
    return width;
  }

  // The weights of all nets in float64, and the layers with their places.
  void bring_together() {
    auto* weights = cuda_.scratch<double>(curves_ * stride_);
    std::vector<AddParts<T, double>> copies;
    double* next = weights;
    for (const std::vector<EmbeddingLayer<T>>& net : nets_.layers) {
      for (const EmbeddingLayer<T>& layer : net) {
        over_arrays(layer, layer, [&](const T* array, int64_t size) {
          copies.push_back({size, array, 1, 0, next});
          next += size;
        });
      }
    }
    over_items(cuda_, copies);
    const double* place = weights;
    for (const EmbeddingLayer<T>& layer : nets_.layers.front()) {
      const int64_t n_in = layer.n_in, width = layer.width;
      const bool has_step = layer.idt != nullptr;
      const double *bias = place + n_in * width, *idt = bias + width;
      layers_.push_back({nets_.activation, n_in, width, has_step, has_residual(n_in, width), n_,
                         stride_, stride_, points_, place, bias, idt, nullptr, nullptr, nullptr});
      place = has_step ? idt + width : idt;
    }
    weights_ = weights;
  }

  void add_parts(const double* sums, const EmbeddingNetsGrad<T>& grads) const {
    std::vector<AddParts<double, T>> items;
    for (size_t c = 0; c < grads.size(); ++c) {
      for (size_t l = 0; l < grads[c].size(); ++l) {
        over_arrays(nets_.layers[c][l], grads[c][l], [&](T* grad, int64_t size) {
          items.push_back({size, sums, parts_of(curves_), curves_ * stride_, grad});
          sums += size;
        });
      }
    }
    over_items(cuda_, items);
  }

  const EmbeddingNets<T>& nets_;
  const Cuda& cuda_;
  int64_t curves_, n_, stride_;
  const NetPoint* points_;
  const double* weights_;  // [C, stride]
  std::vector<NodeLayer> layers_;
  const double* output_ = nullptr;
};

}  // namespace

template <class T>
void embedding_nodes(const EmbeddingNets<T>& nets, int64_t num_needed, const Cuda& cuda, T* nodes) {
  NodePass<T> pass(nets, num_needed, cuda);
  pass.forward();
  if constexpr (kRise<T>) {
    auto* exact = cuda.scratch<double>(num_needed * 2 * padded_width<double>(nets.width()));
    pass.write(exact);
    round_intervals(num_needed, nets.width(), cuda, exact, nodes);
  } else {
    pass.write(nodes);
  }
}

template <class T>
void embedding_nodes_grad(const EmbeddingNets<T>& nets, int64_t num_needed, const Cuda& cuda,
                          const T* nodes_grad, const EmbeddingNetsGrad<T>& grads) {
  NodePass<T> pass(nets, num_needed, cuda);
  pass.forward();
  if constexpr (kRise<T>) {
    auto* exact = cuda.scratch<double>(num_needed * 2 * padded_width<double>(nets.width()));
    round_intervals_grad(num_needed, nets.width(), cuda, nodes_grad, exact);
    pass.backward(exact, grads);
  } else {
    pass.backward(nodes_grad, grads);
  }
}

#define DEEPTF_INSTANTIATE(T)                                                                    \
  template void embedding_nodes<T>(const EmbeddingNets<T>&, int64_t, const Cuda&, T*);           \
  template void embedding_nodes_grad<T>(const EmbeddingNets<T>&, int64_t, const Cuda&, const T*, \
                                        const EmbeddingNetsGrad<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
