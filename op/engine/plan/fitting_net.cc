// Energies of the atoms from their descriptors; core/nets/fitting_net.h has the equations.
#include <algorithm>

#include "engine/plan/fitting_constants.h"
#include "engine/plan/stage.h"

namespace deeptf {
namespace {

template <class T>
class FittingStage final : public Stage {
 public:
  explicit FittingStage(const StageReader& reader) : net_(reader) {
    const std::vector<int32_t> none(net_.num_nets());
    packed_ = std::make_unique<PackedNets<T>>(inputs(0, none.data(), nullptr, nullptr));
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t n = block.num_atoms;
    const T* descriptor = net_.rows(block, values.take<T>(net_.takes), values);
    T* energy = values.keep<T>(n);
    T* slope = values.keep<T>(n * net_.shape.width);
    evaluate(block, descriptor, energy, slope);
    double* out = values.give<double>(net_.gives);
    for (int64_t atom = 0; atom < n; ++atom) {
      out[atom] = static_cast<double>(energy[atom]) + net_.constant[block.type[atom]];
    }
    if (net_.isolated.size() > 0) subtract_isolated(block, values, out);
    if (!gradient) return {};
    return [this, slope, &block, &values] { pull(block, slope, values); };
  }

 private:
  FittingInputs<T> inputs(int64_t atoms, const int32_t* atom_count, const T* descriptor,
                          const PackedNets<T>* packed) const {
    const auto nets = static_cast<int32_t>(net_.num_nets());
    FittingInputs<T> in{net_.shape, atoms, nets, descriptor, atom_count, {}, packed};
    in.weights.reserve(net_.arrays.size());
    for (const Aligned<T>& array : net_.arrays) in.weights.push_back(array.data());
    return in;
  }

  void evaluate(const AtomBlock& block, const T* descriptor, T* energy, T* slope) const {
    const auto all = static_cast<int32_t>(block.num_atoms);
    const int32_t* count = net_.atoms_of_nets(block.atom_count, &all);
    const FittingInputs<T> in = inputs(block.num_atoms, count, descriptor, packed_.get());
    const int64_t hidden = net_.shape.hidden_width();
    Scratch<T> before(block.num_atoms * hidden), back(block.num_atoms * hidden);
    fitting_net<T>(in, block.context, {energy, slope, before.data(), back.data()});
  }

  void subtract_isolated(const AtomBlock& block, Values& values, double* energy) const {
    const int64_t width = net_.descriptor;
    T* alone = values.keep<T>(block.num_atoms * width);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      std::copy_n(net_.isolated.data() + block.type[atom] * width, width, alone + atom * width);
    }
    T* found = values.keep<T>(block.num_atoms);
    T* slope = values.keep<T>(block.num_atoms * net_.shape.width);
    evaluate(block, net_.rows(block, alone, values), found, slope);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      if (net_.relative[block.type[atom]]) energy[atom] -= static_cast<double>(found[atom]);
    }
  }

  void pull(const AtomBlock& block, T* slope, Values& values) const {
    const bool unit = values.has_unit_gradient(net_.gives);
    if (unit && !net_.with_more()) return values.give_gradient(net_.takes, slope);
    const double* upper = values.gradient<double>(net_.gives);
    values.add_gradient<T>(net_.takes, [&](T* out) {
      const int64_t width = net_.descriptor;
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        const T factor = unit ? T(1) : static_cast<T>(upper[atom]);
        const T* from = slope + atom * net_.shape.width;
        for (int64_t k = 0; k < width; ++k) out[atom * width + k] = factor * from[k];
      }
    });
  }

  FittingConstants<T> net_;
  std::unique_ptr<PackedNets<T>> packed_;
};

}  // namespace

std::unique_ptr<Stage> make_fitting_net(const StageReader& reader) {
  return make_in<Stage, FittingStage>(reader.precision(), reader);
}

}  // namespace deeptf
