// float32 nets at nodes: their weights in float64, and what comes of them rounded once; see
// nodes.h.
#include <algorithm>

#include "core/base/scratch.h"
#include "core/curve/intervals.h"
#include "core/curve/net_arrays.h"
#include "core/curve/nodes.h"
#include "core/curve/sum.h"

namespace deeptf {
namespace {

int64_t num_weights_of_all(const EmbeddingNets<float>& nets) {
  int64_t sum = 0;
  for (const std::vector<EmbeddingLayer<float>>& net : nets.layers) sum += num_weights(net);
  return sum;
}

// float32 nets with their weights in float64.
class Wide {
 public:
  explicit Wide(const EmbeddingNets<float>& nets) : weights_(num_weights_of_all(nets)) {
    nets_ = {nets.activation, {}, nets.segments, nets.needed_row, nets.bent};
    double* next = weights_.data();
    for (const std::vector<EmbeddingLayer<float>>& net : nets.layers) {
      nets_.layers.emplace_back();
      for (const EmbeddingLayer<float>& layer : net) {
        const double* places[3] = {};
        int64_t number = 0;
        over_arrays(layer, layer, [&](const float* array, int64_t size) {
          places[number++] = next;
          next = std::copy_n(array, size, next);
        });
        nets_.layers.back().push_back({layer.n_in, layer.width, places[0], places[1], places[2]});
      }
    }
  }

  const EmbeddingNets<double>& nets() const { return nets_; }
  int64_t size() const { return weights_.size(); }

 private:
  Scratch<double> weights_;
  EmbeddingNets<double> nets_;
};

// Places in `array` for the gradients of all nets.
EmbeddingNetsGrad<double> split(const EmbeddingNets<double>& nets, double* array) {
  EmbeddingNetsGrad<double> grads;
  for (const std::vector<EmbeddingLayer<double>>& net : nets.layers) {
    grads.push_back(split_weights(net, array));
    array += num_weights(net);
  }
  return grads;
}

}  // namespace

void embedding_nodes(const EmbeddingNets<float>& nets, const Context& context, float* intervals) {
  const Wide wide(nets);
  const int64_t number = nets.num_needed(), width = nets.width();
  Scratch<double> nodes(number * 2 * padded_width<double>(width));
  embedding_nodes(wide.nets(), context, nodes.data());
  round_intervals(number, width, context, nodes.data(), intervals);
}

void embedding_nodes_grad(const EmbeddingNets<float>& nets, const Context& context,
                          const float* intervals_grad, const EmbeddingNetsGrad<float>& grads) {
  const Wide wide(nets);
  const int64_t number = nets.num_needed(), width = nets.width();
  Scratch<double> nodes_grad(number * 2 * padded_width<double>(width));
  round_intervals_grad(number, width, context, intervals_grad, nodes_grad.data());
  Scratch<double> array(wide.size());
  embedding_nodes_grad(wide.nets(), context, nodes_grad.data(), split(wide.nets(), array.data()));
  const double* next = array.data();
  for (size_t c = 0; c < grads.size(); ++c) {
    for (size_t l = 0; l < grads[c].size(); ++l) {
      over_arrays(nets.layers[c][l], grads[c][l], [&](float* grad, int64_t size) {
        for (int64_t k = 0; k < size; ++k) grad[k] = static_cast<float>(*next++);
      });
    }
  }
}

}  // namespace deeptf
