// Energies of the atoms from their descriptors; core/nets/fitting_net.h has the equations.
#include "core/cuda/fitting_net.h"
#include "engine/cuda/net_inputs.h"
#include "engine/plan/fitting_constants.h"

namespace deeptf::device {
namespace {

template <class T>
struct SetEnergy {
  const T* energy;
  const double* constant;
  const int32_t* type;
  double* out;

  DEEPTF_HD void operator()(int64_t k) const {
    out[k] = static_cast<double>(energy[k]) + constant[type[k]];
  }
};

template <class T>
struct SubtractIsolated {
  const T* energy;
  const int32_t *relative, *type;
  double* out;

  DEEPTF_HD void operator()(int64_t k) const {
    if (relative[type[k]] != 0) out[k] -= static_cast<double>(energy[k]);
  }
};

// The slope in the descriptor alone, times the gradient in the energy.
template <class T>
struct PullSlope {
  int64_t descriptor, width;
  const T* slope;
  const double* upper;
  T* out;

  DEEPTF_HD void operator()(int64_t k) const {
    const int64_t atom = k / descriptor;
    out[k] = static_cast<T>(upper[atom]) * slope[atom * width + k % descriptor];
  }
};

template <class T>
class FittingStage final : public Stage {
 public:
  explicit FittingStage(const StageReader& reader) : FittingStage(FittingConstants<T>(reader)) {}

  Pull run(const Block& block, Values& values, bool gradient) const override {
    const int64_t n = block.num_atoms;
    const T* descriptor = inputs_.rows(block, values.take<T>(takes_), false, values);
    T* energy = values.keep<T>(n);
    T* slope = values.keep<T>(n * shape_.width);
    evaluate(block, descriptor, energy, slope, values);
    double* out = values.give<double>(gives_);
    for_each(block.cuda, n, SetEnergy<T>{energy, constant_.data(), block.type, out});
    if (isolated_.data() != nullptr) subtract_isolated(block, values, out);
    if (!gradient) return {};
    return [this, slope, &block, &values] { pull(block, slope, values); };
  }

 private:
  explicit FittingStage(const FittingConstants<T>& host)
      : num_types_(host.num_types),
        inputs_(host),
        one_net_(host.types.size() > 0),
        shape_(host.shape),
        constant_(host.constant),
        takes_(host.takes),
        gives_(host.gives) {
    for (const Aligned<T>& array : host.arrays) arrays_.emplace_back(array);
    if (host.isolated.size() == 0) return;
    const std::vector<int32_t> relative(host.relative.begin(), host.relative.end());
    relative_ = Constant<int32_t>(relative.data(), num_types_);
    isolated_ = Constant<T>(host.isolated);
  }

  void evaluate(const Block& block, const T* descriptor, T* energy, T* slope,
                const Values& values) const {
    const auto all = static_cast<int32_t>(block.num_atoms);
    const int32_t* count = one_net_ ? &all : block.count;
    const auto nets = static_cast<int32_t>(one_net_ ? 1 : num_types_);
    FittingInputs<T> in{shape_, block.num_atoms, nets, descriptor, count, {}};
    for (const Constant<T>& array : arrays_) in.weights.push_back(array.data());
    const Arena::Scope scope(block.arena);
    const int64_t hidden = block.num_atoms * shape_.hidden_width();
    fitting_net<T>(in, block.cuda, {energy, slope, values.keep<T>(hidden), values.keep<T>(hidden)});
  }

  void subtract_isolated(const Block& block, const Values& values, double* energy) const {
    T* found = values.keep<T>(block.num_atoms);
    T* slope = values.keep<T>(block.num_atoms * shape_.width);
    evaluate(block, inputs_.rows(block, isolated_.data(), true, values), found, slope, values);
    for_each(block.cuda, block.num_atoms,
             SubtractIsolated<T>{found, relative_.data(), block.type, energy});
  }

  void pull(const Block& block, T* slope, Values& values) const {
    if (values.has_unit_gradient(gives_) && !inputs_.with_more()) {
      return values.give_gradient(takes_, slope);
    }
    const double* upper = values.gradient<double>(gives_);
    values.add_gradient<T>(takes_, [&](T* out) {
      for_each(block.cuda, block.num_atoms * inputs_.descriptor,
               PullSlope<T>{inputs_.descriptor, inputs_.width, slope, upper, out});
    });
  }

  int64_t num_types_;
  NetInputs<T> inputs_;
  bool one_net_;  // for all types
  FittingShape shape_;
  std::vector<Constant<T>> arrays_;
  Constant<double> constant_;
  Constant<int32_t> relative_;
  Constant<T> isolated_;
  int takes_, gives_;
};

}  // namespace

std::unique_ptr<Stage> make_fitting_net(const StageReader& reader) {
  return make_in<Stage, FittingStage>(reader.precision(), reader);
}

}  // namespace deeptf::device
