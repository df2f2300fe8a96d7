// Numbers of the atoms from their descriptors: nets of any number of outputs.
#include <algorithm>

#include "core/base/activation.h"
#include "core/base/gemm.h"
#include "engine/plan/net_inputs.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

// y = f(x W + b) (.) d, plus x where the width stays, but for the last layer, y = x W + b.
template <class T>
struct DenseLayer {
  DenseLayer(const StageReader& reader, const Json& layer, int64_t in, bool is_first, bool is_last)
      : in(in), matrix(reader.constant<T>(layer, "matrix", {in, -1})), out(matrix.shape[1]) {
    if (out < 1) throw Error("a layer of a net must have numbers, got none");
    bias = reader.constant<T>(layer, "bias", {out});
    residual = !is_first && !is_last && in == out;
    if (has_step(layer)) {
      if (!residual) throw Error("`idt` of a net must be of layers that keep the width alone");
      step = reader.constant<T>(layer, "idt", {out});
    }
    const MatrixView<T> view{matrix.data(), out, 1};
    forward = std::make_unique<PackedMatrix<T>>(in, out, view);
    backward = std::make_unique<PackedMatrix<T>>(out, in, view.transposed());
  }

  // to [rows, out] = x [rows, in] W + b
  void times(int64_t rows, const T* x, T* to) const {
    for (int64_t row = 0; row < rows; ++row) std::copy_n(bias.data(), out, to + row * out);
    multiply<T>({rows, out, to, out, true},
                {{in, {x, in, 1}, {matrix.data(), out, 1}, forward.get()}});
  }
  // to [rows, in] (+)= v [rows, out] W^T
  void back(int64_t rows, const T* v, T* to, bool add) const {
    multiply<T>({rows, in, to, in, add},
                {{out, {v, out, 1}, {matrix.data(), 1, out}, backward.get()}});
  }

  int64_t in;
  Aligned<T> matrix;
  int64_t out;
  Aligned<T> bias, step;
  bool residual;
  std::unique_ptr<PackedMatrix<T>> forward, backward;
};

template <class T>
class PropertyNetStage final : public Stage {
 public:
  explicit PropertyNetStage(const StageReader& reader)
      : inputs_(reader),
        activation_(activation_of(reader.fields.at("activation").text())),
        takes_(reader.takes()) {
    read_chosen(reader);
    for (const Json& net : reader.fields.at("nets").items()) read_net(reader, net.items());
    const size_t wanted = inputs_.types.size() > 0 ? 1 : num_chosen_;
    if (nets_.size() != wanted || nets_.empty()) {
      throw Error("`nets` of a stage must be " + std::to_string(wanted) + " for " +
                  std::to_string(num_chosen_) + " types, got " + std::to_string(nets_.size()));
    }
    width_ = nets_[0].back().out;
    for (const Net& net : nets_) {
      if (net.back().out != width_)
        throw Error("the nets of a model must give equally many numbers");
    }
    gives_ = reader.gives({width_, false, Precision::float64});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* x = inputs_.rows(block, values.take<T>(takes_), values);
    double* out = values.give<double>(gives_);
    std::fill_n(out, block.num_atoms * width_, 0.0);
    std::vector<Part> parts = parts_of(block);
    for (Part& part : parts) {
      const T* last = forward(x + part.first * inputs_.width, gradient, values, &part);
      std::copy_n(last, part.rows * width_, out + part.first * width_);
    }
    if (!gradient) return {};
    return [this, parts = std::move(parts), &block, &values] { pull(block, parts, values); };
  }

 private:
  using Net = std::vector<DenseLayer<T>>;

  // Atoms of a type, and d f'(z) of the hidden layers of its net.
  struct Part {
    const Net* net;
    int64_t first, rows;
    std::vector<const T*> slopes;
  };

  void read_chosen(const StageReader& reader) {
    for (const Json& one : reader.fields.at("chosen").items()) chosen_.push_back(one.boolean());
    if (static_cast<int64_t>(chosen_.size()) != inputs_.num_types) {
      throw Error("`chosen` of a stage must be one for each type");
    }
    num_chosen_ = std::count(chosen_.begin(), chosen_.end(), true);
  }

  void read_net(const StageReader& reader, const std::vector<Json>& layers) {
    if (layers.empty()) throw Error("a net must have a layer, got none");
    Net net;
    int64_t in = inputs_.width;
    for (size_t l = 0; l < layers.size(); ++l) {
      net.emplace_back(reader, layers[l], in, l == 0, l + 1 == layers.size());
      in = net.back().out;
    }
    nets_.push_back(std::move(net));
  }

  std::vector<Part> parts_of(const AtomBlock& block) const {
    std::vector<Part> parts;
    int64_t first = 0;
    size_t next = 0;
    for (int64_t t = 0; t < inputs_.num_types; first += block.atom_count[t++]) {
      if (!chosen_[t]) continue;
      const Net& net = nets_[inputs_.types.size() > 0 ? 0 : next++];
      if (block.atom_count[t] > 0) parts.push_back({&net, first, block.atom_count[t], {}});
    }
    return parts;
  }

  // What the net of a part gives, [rows, width].
  const T* forward(const T* x, bool gradient, Values& values, Part* part) const {
    for (const DenseLayer<T>& layer : *part->net) {
      const int64_t size = part->rows * layer.out;
      T* y = values.keep<T>(size);
      layer.times(part->rows, x, y);
      if (&layer != &part->net->back()) {
        T* slope = gradient ? values.keep<T>(size) : nullptr;
        activate<T>(activation_, size, y, y, slope, nullptr);
        scale(layer, part->rows, y);
        if (gradient) scale(layer, part->rows, slope);
        for (int64_t k = 0; layer.residual && k < size; ++k) y[k] += x[k];
        part->slopes.push_back(slope);
      }
      x = y;
    }
    return x;
  }

  static void scale(const DenseLayer<T>& layer, int64_t rows, T* numbers) {
    if (layer.step.size() == 0) return;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t k = 0; k < layer.out; ++k) numbers[row * layer.out + k] *= layer.step[k];
    }
  }

  void pull(const AtomBlock& block, const std::vector<Part>& parts, Values& values) const {
    const T* upper = values.gradient<T>(gives_);
    std::vector<std::pair<const Part*, const T*>> found;
    for (const Part& part : parts) {
      found.push_back({&part, backward(part, upper + part.first * width_, values)});
    }
    values.add_gradient<T>(takes_, [&](T* out) {
      std::fill_n(out, block.num_atoms * inputs_.descriptor, T(0));
      for (const auto& [part, gradient] : found) {
        for (int64_t row = 0; row < part->rows; ++row) {
          std::copy_n(gradient + row * inputs_.width, inputs_.descriptor,
                      out + (part->first + row) * inputs_.descriptor);
        }
      }
    });
  }

  // The gradient in what the net of a part has taken.
  const T* backward(const Part& part, const T* upper, Values& values) const {
    const Net& net = *part.net;
    for (size_t l = net.size(); l-- > 0;) {
      const DenseLayer<T>& layer = net[l];
      const T* v = upper;
      if (l + 1 < net.size()) {
        T* product = values.keep<T>(part.rows * layer.out);
        for (int64_t k = 0; k < part.rows * layer.out; ++k)
          product[k] = upper[k] * part.slopes[l][k];
        v = product;
      }
      T* below = values.keep<T>(part.rows * layer.in);
      if (layer.residual) std::copy_n(upper, part.rows * layer.in, below);
      layer.back(part.rows, v, below, layer.residual);
      upper = below;
    }
    return upper;
  }

  NetInputs<T> inputs_;
  Activation activation_;
  int takes_, gives_;
  int64_t width_;
  std::vector<bool> chosen_;  // types that have numbers
  int64_t num_chosen_;
  std::vector<Net> nets_;
};

}  // namespace

std::unique_ptr<Stage> make_property_net(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<PropertyNetStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
