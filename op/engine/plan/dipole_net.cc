// Vectors of the atoms: numbers of nets on their descriptors, times the axes of the descriptors.
#include <algorithm>

#include "core/base/activation.h"
#include "core/base/gemm.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

// x -> act(x W + b) [* idt], plus x where the width stays.
template <class T>
struct DenseLayer {
  int64_t in, out;
  bool residual;
  Aligned<T> matrix, bias, step;  // step may be nothing
};

template <class T>
struct DenseNet {
  std::vector<DenseLayer<T>> layers;  // the last one is linear

  bool exists() const { return !layers.empty(); }
  int64_t hidden() const {
    int64_t sum = 0;
    for (size_t l = 0; l + 1 < layers.size(); ++l) sum += layers[l].out;
    return sum;
  }
};

template <class T>
DenseNet<T> read_net(const StageReader& reader, const Json& given, int64_t in, int64_t out) {
  DenseNet<T> net;
  if (given.is_null()) return net;
  const std::vector<Json>& layers = given.items();
  if (layers.size() < 2) throw Error("a net must have a hidden layer");
  for (size_t l = 0; l < layers.size(); ++l) {
    const bool last = l + 1 == layers.size();
    DenseLayer<T> layer;
    layer.bias = reader.constant<T>(layers[l], "bias", {last ? out : -1});
    layer.in = in;
    layer.out = layer.bias.size();
    layer.residual = !last && l > 0 && layer.in == layer.out;
    layer.matrix = reader.constant<T>(layers[l], "matrix", {layer.in, layer.out});
    const Json* step = layers[l].find("idt");
    if (step != nullptr && !step->is_null()) {
      if (!layer.residual) throw Error("`idt` must be of a layer that keeps the width");
      layer.step = reader.constant<T>(layers[l], "idt", {layer.out});
    }
    in = layer.out;
    net.layers.push_back(std::move(layer));
  }
  return net;
}

// The net of some atoms; what it keeps for the way back lies in memory of the block.
template <class T>
struct DensePass {
  const DenseNet<T>* net;
  int64_t first, number;   // atoms
  std::vector<T*> slopes;  // of the activations, [number, out] times step

  // value [number, out of the last layer] of x [number, in].
  void forward(Activation activation, const T* x, T* value, Values& values) {
    for (const DenseLayer<T>& layer : net->layers) {
      const bool last = &layer == &net->layers.back();
      const int64_t count = number * layer.out;
      T* y = last ? value : values.keep<T>(count);
      for (int64_t k = 0; k < count; ++k) y[k] = layer.bias[k % layer.out];
      multiply<T>({number, layer.out, y, layer.out, true},
                  {{layer.in, {x, layer.in, 1}, {layer.matrix.data(), layer.out, 1}}});
      if (last) return;
      T* slope = values.keep<T>(count);
      activate<T>(activation, count, y, y, slope, nullptr);
      for (int64_t k = 0; layer.step.size() > 0 && k < count; ++k) {
        y[k] *= layer.step[k % layer.out];
        slope[k] *= layer.step[k % layer.out];
      }
      for (int64_t k = 0; layer.residual && k < count; ++k) y[k] += x[k];
      slopes.push_back(slope);
      x = y;
    }
  }

  // to [number, in] from the gradient in the value.
  void backward(const T* upper, T* to, Values& values) const {
    for (size_t l = net->layers.size(); l-- > 0;) {
      const DenseLayer<T>& layer = net->layers[l];
      const bool last = l + 1 == net->layers.size();
      const int64_t count = number * layer.out;
      const T* through = upper;
      if (!last) {
        T* product = values.keep<T>(count);
        for (int64_t k = 0; k < count; ++k) product[k] = upper[k] * slopes[l][k];
        through = product;
      }
      T* below = l == 0 ? to : values.keep<T>(number * layer.in);
      if (layer.residual) std::copy_n(upper, count, below);
      multiply<T>({number, layer.in, below, layer.in, layer.residual},
                  {{layer.out, {through, layer.out, 1}, {layer.matrix.data(), 1, layer.out}}});
      upper = below;
    }
  }
};

// Sums [n, 4, M] of a part of the descriptor: its axes are the last three rows times a scale.
struct Axes {
  int takes;
  int64_t width;
  double scale;
};

template <class T>
class DipoleNetStage final : public Stage {
 public:
  explicit DipoleNetStage(const StageReader& reader)
      : activation_(activation_of(reader.fields.at("activation").text())) {
    const std::vector<Json>& takes = reader.fields.at("takes").items();
    const std::vector<Json>& places = reader.fields.at("places").items();
    if (takes.size() < 2 || places.size() + 1 != takes.size()) {
      throw Error("a net of dipoles must take a descriptor and the sums that it is made of");
    }
    descriptor_ = reader.value_named(takes[0].text());
    width_ = reader.type_of(descriptor_).width;
    for (size_t k = 0; k < places.size(); ++k) {
      const int value = reader.value_named(takes[k + 1].text());
      const ValueType& type = reader.type_of(value);
      if (type.of_pairs || type.width % 4 != 0 || !(places[k].number() > 0)) {
        throw Error("a net of dipoles must take sums of four columns");
      }
      axes_.push_back({value, type.width / 4, 1 / places[k].number()});
      outputs_ += type.width / 4;
    }
    const std::vector<Json>& nets = reader.fields.at("nets").items();
    if (static_cast<int64_t>(nets.size()) > reader.inputs.num_types) {
      throw Error("`nets` of a stage must be at most one for each type");
    }
    for (const Json& net : nets) nets_.push_back(read_net<T>(reader, net, width_, outputs_));
    gives_ = reader.gives({3, false, Precision::float64});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* descriptor = values.take<T>(descriptor_);
    T* weight = values.keep<T>(block.num_atoms * outputs_);
    std::fill_n(weight, block.num_atoms * outputs_, T(0));
    std::vector<DensePass<T>> passes;
    int64_t first = 0;
    for (size_t t = 0; t < nets_.size(); first += block.atom_count[t++]) {
      if (!nets_[t].exists() || block.atom_count[t] == 0) continue;
      passes.push_back({&nets_[t], first, block.atom_count[t], {}});
      passes.back().forward(activation_, descriptor + first * width_, weight + first * outputs_,
                            values);
    }
    double* vector = values.give<double>(gives_);
    std::fill_n(vector, 3 * block.num_atoms, 0.0);
    over_axes(block, values, [&](int64_t atom, int64_t m, const double* axis, double*) {
      for (int a = 0; a < 3; ++a) {
        vector[3 * atom + a] += static_cast<double>(weight[atom * outputs_ + m]) * axis[a];
      }
    });
    if (!gradient) return {};
    return [this, weight, passes, &block, &values] { pull(block, weight, passes, values); };
  }

 private:
  // Calls body(atom, m, axis [3], its gradient [3]); gradients are added where they are asked for.
  template <class Body>
  void over_axes(const AtomBlock& block, Values& values, const Body& body,
                 bool gradients = false) const {
    int64_t begin = 0;
    for (const Axes& axes : axes_) {
      const double* sums = values.take<double>(axes.takes);
      const auto of_part = [&](double* out) {
        for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
          for (int64_t m = 0; m < axes.width; ++m) {
            double axis[3], slope[3] = {};
            const int64_t at = (4 * atom + 1) * axes.width + m;
            for (int a = 0; a < 3; ++a) axis[a] = axes.scale * sums[at + a * axes.width];
            body(atom, begin + m, axis, slope);
            for (int a = 0; out != nullptr && a < 3; ++a) {
              out[at + a * axes.width] = axes.scale * slope[a];
            }
          }
        }
      };
      if (gradients) {
        values.add_gradient<double>(axes.takes, [&](double* out) {
          std::fill_n(out, 4 * block.num_atoms * axes.width, 0.0);
          of_part(out);
        });
      } else {
        of_part(nullptr);
      }
      begin += axes.width;
    }
  }

  void pull(const AtomBlock& block, const T* weight, const std::vector<DensePass<T>>& passes,
            Values& values) const {
    const double* upper = values.gradient<double>(gives_);
    T* of_weight = values.keep<T>(block.num_atoms * outputs_);
    const auto add = [&](int64_t atom, int64_t m, const double* axis, double* slope) {
      double sum = 0;
      for (int a = 0; a < 3; ++a) {
        sum += upper[3 * atom + a] * axis[a];
        slope[a] = upper[3 * atom + a] * static_cast<double>(weight[atom * outputs_ + m]);
      }
      of_weight[atom * outputs_ + m] = static_cast<T>(sum);
    };
    over_axes(block, values, add, true);
    T* out = values.keep<T>(block.num_atoms * width_);
    std::fill_n(out, block.num_atoms * width_, T(0));
    for (const DensePass<T>& pass : passes) {
      pass.backward(of_weight + pass.first * outputs_, out + pass.first * width_, values);
    }
    values.give_gradient<T>(descriptor_, out);
  }

  Activation activation_;
  int descriptor_, gives_;
  int64_t width_, outputs_ = 0;  // of the descriptor, of the nets
  std::vector<Axes> axes_;
  std::vector<DenseNet<T>> nets_;  // of each type; some have none
};

}  // namespace

std::unique_ptr<Stage> make_dipole_net(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<DipoleNetStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
