// Numbers of the atoms from their descriptors: nets of any number of outputs. Products are those of
// cuBLAS, for all atoms of a type; what lies between two of them is one launch.
#include "core/cuda/activation.h"
#include "core/cuda/gemm.h"
#include "engine/cuda/net_inputs.h"
#include "engine/plan/property_net_constants.h"

namespace deeptf::device {
namespace {

template <class T>
struct Layer {
  explicit Layer(const DenseLayer<T>& host)
      : in(host.in),
        out(host.out),
        residual(host.residual),
        matrix(host.matrix),
        bias(host.bias),
        step(host.step) {}

  int64_t in, out;
  bool residual;
  Constant<T> matrix, bias, step;
};

// y = f(y + b) d + x, and slope = f'(y + b) d.
template <class T>
struct Hidden {
  Activation activation;
  int64_t out;
  const T *bias, *step, *x;  // no step: 1; no x: 0
  T *y, *slope;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t m = k % out;
    const auto found = activate_one(activation, y[k] + bias[m]);
    const T factor = step != nullptr ? step[m] : T(1);
    slope[k] = factor * found.first;
    y[k] = factor * found.value + (x != nullptr ? x[k] : T(0));
  }
};

template <class T>
struct Last {
  int64_t width;
  const T *y, *bias;
  double* out;

  DEEPTF_HD void operator()(int64_t k) const {
    out[k] = static_cast<double>(y[k] + bias[k % width]);
  }
};

// v = upper slope; below = upper where that is asked for.
template <class T>
struct TimesSlope {
  const T *upper, *slope;
  T *v, *below;

  DEEPTF_HD void operator()(int64_t k) const {
    v[k] = upper[k] * slope[k];
    if (below != nullptr) below[k] = upper[k];
  }
};

// The gradient in the descriptors alone.
template <class T>
struct OfDescriptor {
  int64_t descriptor, width;
  const T* gradient;
  T* out;

  DEEPTF_HD void operator()(int64_t k) const {
    out[k] = gradient[k / descriptor * width + k % descriptor];
  }
};

template <class T>
class PropertyNetStage final : public Stage {
 public:
  explicit PropertyNetStage(const StageReader& reader)
      : PropertyNetStage(PropertyNetConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const T* x = inputs_.rows(block, values.take<T>(takes_), false, values);
    double* out = values.give<double>(gives_);
    set_zero(block.cuda, out, block.num_atoms * numbers_);
    std::vector<Part> parts;
    for (const AtomsOfNet& atoms : chosen_.atoms_of_nets(block.count)) {
      Part& part = parts.emplace_back(Part{atoms, {}, {}});
      for (const Layer<T>& layer : nets_[atoms.net]) {
        part.y.push_back(values.keep<T>(atoms.rows * layer.out));
        part.slope.push_back(values.keep<T>(atoms.rows * layer.out));
      }
    }
    const Arena::Scope scope(block.arena);
    const Gemm gemm(block.cuda);
    for (const Part& part : parts) forward(part, x, block.cuda, gemm, out);
    if (!gradient) return {};
    return [this, parts = std::move(parts), &block, &values] { pull(block, parts, values); };
  }

 private:
  using Net = std::vector<Layer<T>>;

  // What the layers of a net give, and d f'(z).
  struct Part {
    AtomsOfNet atoms;
    std::vector<T*> y, slope;
  };

  explicit PropertyNetStage(const PropertyNetConstants<T>& host)
      : inputs_(host),
        activation_(host.activation),
        chosen_(host.chosen),
        numbers_(host.numbers),
        takes_(host.takes),
        gives_(host.gives) {
    for (const std::vector<DenseLayer<T>>& layers : host.nets) {
      Net& net = nets_.emplace_back();
      for (const DenseLayer<T>& layer : layers) net.emplace_back(layer);
    }
  }

  void forward(const Part& part, const T* rows, const Cuda& cuda, const Gemm& gemm,
               double* out) const {
    const AtomsOfNet& atoms = part.atoms;
    const Net& net = nets_[atoms.net];
    const T* x = rows + atoms.first * inputs_.width;
    for (size_t l = 0; l < net.size(); ++l) {
      const Layer<T>& layer = net[l];
      T* y = part.y[l];
      gemm.multiply<T>({atoms.rows, layer.out, y, layer.out, false},
                       {layer.in, {x, layer.in, 1}, {layer.matrix.data(), layer.out, 1}});
      if (l + 1 < net.size()) {
        for_each(cuda, atoms.rows * layer.out,
                 Hidden<T>{activation_, layer.out, layer.bias.data(), layer.step.data(),
                           layer.residual ? x : nullptr, y, part.slope[l]});
      }
      x = y;
    }
    for_each(cuda, atoms.rows * numbers_,
             Last<T>{numbers_, x, net.back().bias.data(), out + atoms.first * numbers_});
  }

  void pull(const Block& block, const std::vector<Part>& parts, Values& values) const {
    const T* upper = values.gradient<T>(gives_);
    values.add_gradient<T>(takes_, [&](T* out) {
      set_zero(block.cuda, out, block.num_atoms * inputs_.descriptor);
      const Arena::Scope scope(block.arena);
      const Gemm gemm(block.cuda);
      for (const Part& part : parts) {
        const T* found = backward(part, upper, values, block.cuda, gemm);
        for_each(block.cuda, part.atoms.rows * inputs_.descriptor,
                 OfDescriptor<T>{inputs_.descriptor, inputs_.width, found,
                                 out + part.atoms.first * inputs_.descriptor});
      }
    });
  }

  // The gradient in what the net of a part has taken.
  const T* backward(const Part& part, const T* all_upper, const Values& values, const Cuda& cuda,
                    const Gemm& gemm) const {
    const int64_t rows = part.atoms.rows;
    const Net& net = nets_[part.atoms.net];
    const T* upper = all_upper + part.atoms.first * numbers_;
    for (size_t l = net.size(); l-- > 0;) {
      const Layer<T>& layer = net[l];
      T* below = values.keep<T>(rows * layer.in);
      const T* v = upper;
      if (l + 1 < net.size()) {
        T* product = values.keep<T>(rows * layer.out);
        for_each(cuda, rows * layer.out,
                 TimesSlope<T>{upper, part.slope[l], product, layer.residual ? below : nullptr});
        v = product;
      }
      gemm.multiply<T>({rows, layer.in, below, layer.in, layer.residual},
                       {layer.out, {v, layer.out, 1}, {layer.matrix.data(), 1, layer.out}});
      upper = below;
    }
    return upper;
  }

  NetInputs<T> inputs_;
  Activation activation_;
  ChosenTypes chosen_;
  int64_t numbers_;  // of an atom
  int takes_, gives_;
  std::vector<Net> nets_;
};

}  // namespace

std::unique_ptr<Stage> make_property_net(const StageReader& reader) {
  return make_in<Stage, PropertyNetStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
