// Energy and slope; see fitting_net.h.
#include "core/nets/fitting_net.h"

#include <numeric>
#include <string>

#include "core/base/error.h"
#include "core/nets/fitting_layers.h"

namespace deeptf {
namespace {

// One block through fitting_net, between the products with the first matrix: z (but for the bias)
// of the first layer has come from the one, its v goes to the other.
template <class T>
class Middle {
 public:
  Middle(const FittingInputs<T>& in, const Block<T>& block, const FittingOutputs<T>& out, T* v)
      : activation_(in.shape.activation),
        net_(*block.net),
        rows_(block.rows),
        hidden_(in.shape.hidden_width()),
        energy_(out.energy + block.first),
        z_(out.preactivation + block.first * hidden_),
        u_(out.backward + block.first * hidden_),
        v_(v + block.first * hidden_),
        first_(rows_ * hidden_) {}

  void run() {
    find_energy();
    find_slope();
  }

 private:
  void find_energy() {
    Scratch<T> output(rows_ * hidden_);
    MatrixView<T> x{};
    for (const Layer<T>& layer : net_) {
      T *z = z_ + layer.column, *y = output.data() + layer.column;
      if (layer.column > 0) {
        multiply<T>({rows_, layer.out, z, hidden_, false}, {layer.forward(x)});
      }
      for (int64_t row = 0; row < rows_; ++row) {
        const int64_t at = row * hidden_;
        for (int64_t k = 0; k < layer.out; ++k) z[at + k] += layer.bias[k];
        activate<T>(activation_, layer.out, z + at, y + at, first_.data() + layer.column + at,
                    nullptr);
        finish_layer(layer, x.from(row, 0).data, y + at);
      }
      x = {y, hidden_, 1};
    }
    std::fill_n(energy_, rows_, net_.last_bias[0]);
    multiply<T>({rows_, 1, energy_, 1, true}, {{net_.last_width(), x, {net_.last_matrix, 1, 1}}});
  }

  void find_slope() {
    for (int64_t row = 0; row < rows_; ++row) {
      std::copy_n(net_.last_matrix, net_.last_width(), u_ + row * hidden_ + net_.back().column);
    }
    for (const Layer<T>* layer = &net_.back();; --layer) {
      const int64_t column = layer->column;
      for (int64_t row = 0; row < rows_; ++row) {
        const int64_t at = row * hidden_ + column;
        for (int64_t k = 0; k < layer->out; ++k) {
          v_[at + k] = u_[at + k] * layer->step[k] * first_.data()[at + k];
        }
      }
      if (column == 0) break;
      step_back<T>(*layer, rows_, {u_ + column, hidden_, 1}, {v_ + column, hidden_, 1},
                   u_ + column - layer->in, hidden_);
    }
  }

  const Activation activation_;
  const Net<T>& net_;
  const int64_t rows_, hidden_;
  T *energy_, *z_, *u_, *v_;
  Scratch<T> first_;  // f'(z)
};

}  // namespace

int64_t FittingShape::hidden_width() const {
  return std::accumulate(neuron.begin(), neuron.end(), int64_t{0});
}

int64_t FittingShape::widest() const { return *std::max_element(neuron.begin(), neuron.end()); }

std::vector<std::vector<int64_t>> FittingShape::array_shapes() const {
  std::vector<std::vector<int64_t>> shapes;
  for (size_t layer = 0; layer < neuron.size(); ++layer) {
    shapes.push_back({layer == 0 ? width : neuron[layer - 1], neuron[layer]});
    shapes.push_back({neuron[layer]});
    if (resnet_dt && keeps_width(layer)) shapes.push_back({neuron[layer]});
  }
  shapes.push_back({neuron.back(), 1});
  shapes.push_back({1});
  return shapes;
}

template <class T>
PackedNets<T>::PackedNets(const FittingInputs<T>& in) {
  const Nets<T> nets(in);
  for (const Net<T>& net : nets) {
    for (const deeptf::Layer<T>& layer : net) {
      const MatrixView<T> matrix{layer.matrix, layer.out, 1};
      layers_.push_back({PackedMatrix<T>(layer.in, layer.out, matrix),
                         PackedMatrix<T>(layer.out, layer.in, matrix.transposed())});
    }
  }
}

template <class T>
void check_fitting(const FittingInputs<T>& in) {
  const size_t arrays = in.shape.array_shapes().size() * in.num_types;
  if (in.weights.size() != arrays) {
    throw Error("`weights` must have " + std::to_string(arrays) + " arrays for " +
                std::to_string(in.num_types) + " types, got " + std::to_string(in.weights.size()));
  }
  int64_t total = 0;
  for (int32_t type = 0; type < in.num_types; ++type) {
    if (in.atom_count[type] < 0) {
      throw Error("`atom_count` must not be negative, got " + std::to_string(in.atom_count[type]) +
                  " for type " + std::to_string(type));
    }
    total += in.atom_count[type];
  }
  if (total != in.num_atoms) {
    throw Error("`atom_count` must add up to the number of atoms " + std::to_string(in.num_atoms) +
                ", got " + std::to_string(total));
  }
}

template <class T>
void fitting_net(const FittingInputs<T>& in, const Context& context, const FittingOutputs<T>& out) {
  const Nets<T> nets(in);
  const int64_t hidden = in.shape.hidden_width();
  Scratch<T> v(in.num_atoms * hidden);
  Scratch<Multiplication<T>> all(nets.size());
  add_first_products(nets, in.descriptor, out.preactivation, hidden, all.data());
  multiply(context, all.data(), all.size());
  over_blocks(in, nets, context,
              [&](const Block<T>& block) { Middle<T>(in, block, out, v.data()).run(); });
  add_last_products<T>(nets, v.data(), hidden, out.slope, all.data());
  multiply(context, all.data(), all.size());
}

#define DEEPTF_INSTANTIATE(T)                              \
  template class PackedNets<T>;                            \
  template void check_fitting<T>(const FittingInputs<T>&); \
  template void fitting_net<T>(const FittingInputs<T>&, const Context&, const FittingOutputs<T>&);
DEEPTF_INSTANTIATE(float)
DEEPTF_INSTANTIATE(double)
#undef DEEPTF_INSTANTIATE

}  // namespace deeptf
