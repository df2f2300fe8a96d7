// Numbers of the atoms from their descriptors: nets of any number of outputs.
#include <algorithm>

#include "core/base/gemm.h"
#include "engine/plan/property_net_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

// The matrix of a layer, packed for products with rows.
template <class T>
struct PackedLayer {
  explicit PackedLayer(const DenseLayer<T>& layer)
      : layer(layer),
        view{layer.matrix.data(), layer.out, 1},
        forward(layer.in, layer.out, view),
        backward(layer.out, layer.in, view.transposed()) {}

  // to [rows, out] = x [rows, in] W + b
  void times(int64_t rows, const T* x, T* to) const {
    const int64_t out = layer.out;
    for (int64_t row = 0; row < rows; ++row) std::copy_n(layer.bias.data(), out, to + row * out);
    multiply<T>({rows, out, to, out, true}, {{layer.in, {x, layer.in, 1}, view, &forward}});
  }
  // to [rows, in] (+)= v [rows, out] W^T
  void back(int64_t rows, const T* v, T* to, bool add) const {
    multiply<T>({rows, layer.in, to, layer.in, add},
                {{layer.out, {v, layer.out, 1}, view.transposed(), &backward}});
  }

  const DenseLayer<T>& layer;
  MatrixView<T> view;
  PackedMatrix<T> forward, backward;
};

template <class T>
class PropertyNetStage final : public Stage {
 public:
  explicit PropertyNetStage(const StageReader& reader) : constants_(reader) {
    for (const std::vector<DenseLayer<T>>& layers : constants_.nets) {
      Net& net = nets_.emplace_back();
      for (const DenseLayer<T>& layer : layers) {
        net.push_back(std::make_unique<PackedLayer<T>>(layer));
      }
    }
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* x = constants_.rows(block, values.take<T>(constants_.takes), values);
    const int64_t width = constants_.numbers;
    double* out = values.give<double>(constants_.gives);
    std::fill_n(out, block.num_atoms * width, 0.0);
    std::vector<Part> parts;
    for (const AtomsOfNet& atoms : constants_.chosen.atoms_of_nets(block.atom_count)) {
      Part& part = parts.emplace_back(Part{atoms, {}});
      const T* last = forward(x + atoms.first * constants_.width, gradient, values, &part);
      std::copy_n(last, atoms.rows * width, out + atoms.first * width);
    }
    if (!gradient) return {};
    return [this, parts = std::move(parts), &block, &values] { pull(block, parts, values); };
  }

 private:
  using Net = std::vector<std::unique_ptr<PackedLayer<T>>>;

  // d f'(z) of the hidden layers of a net.
  struct Part {
    AtomsOfNet atoms;
    std::vector<const T*> slopes;
  };

  // What the net of a part gives, [rows, numbers].
  const T* forward(const T* x, bool gradient, Values& values, Part* part) const {
    const int64_t rows = part->atoms.rows;
    const Net& net = nets_[part->atoms.net];
    for (const auto& packed : net) {
      const DenseLayer<T>& layer = packed->layer;
      const int64_t size = rows * layer.out;
      T* y = values.keep<T>(size);
      packed->times(rows, x, y);
      if (packed != net.back()) {
        T* slope = gradient ? values.keep<T>(size) : nullptr;
        activate<T>(constants_.activation, size, y, y, slope, nullptr);
        scale(layer, rows, y);
        if (gradient) scale(layer, rows, slope);
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
    const T* upper = values.gradient<T>(constants_.gives);
    std::vector<std::pair<AtomsOfNet, const T*>> found;
    for (const Part& part : parts) {
      const T* own = upper + part.atoms.first * constants_.numbers;
      found.push_back({part.atoms, backward(part, own, values)});
    }
    const int64_t width = constants_.descriptor;
    values.add_gradient<T>(constants_.takes, [&](T* out) {
      std::fill_n(out, block.num_atoms * width, T(0));
      for (const auto& [atoms, gradient] : found) {
        for (int64_t row = 0; row < atoms.rows; ++row) {
          std::copy_n(gradient + row * constants_.width, width, out + (atoms.first + row) * width);
        }
      }
    });
  }

  // The gradient in what the net of a part has taken.
  const T* backward(const Part& part, const T* upper, Values& values) const {
    const int64_t rows = part.atoms.rows;
    const Net& net = nets_[part.atoms.net];
    for (size_t l = net.size(); l-- > 0;) {
      const DenseLayer<T>& layer = net[l]->layer;
      const T* v = upper;
      if (l + 1 < net.size()) {
        T* product = values.keep<T>(rows * layer.out);
        for (int64_t k = 0; k < rows * layer.out; ++k) product[k] = upper[k] * part.slopes[l][k];
        v = product;
      }
      T* below = values.keep<T>(rows * layer.in);
      if (layer.residual) std::copy_n(upper, rows * layer.in, below);
      net[l]->back(rows, v, below, layer.residual);
      upper = below;
    }
    return upper;
  }

  PropertyNetConstants<T> constants_;
  std::vector<Net> nets_;
};

}  // namespace

std::unique_ptr<Stage> make_property_net(const StageReader& reader) {
  return make_in<Stage, PropertyNetStage>(reader.precision(), reader);
}

}  // namespace deeptf
