// Energies of the atoms from their descriptors; core/nets/fitting_net.h has the equations.
#include "core/nets/fitting_net.h"

#include <algorithm>

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

// (value - mean) / stddev of numbers that a frame or an atom is given.
template <class T>
struct Standardised {
  Standardised(const StageReader& reader, const char* field, int64_t number) {
    const Json* given = reader.fields.find(field);
    if (given == nullptr || given->is_null()) return;
    if (number < 1) {
      throw Error("a stage must not read `" + std::string(field) + "` of a model that takes none");
    }
    width = number;
    mean = reader.constant<double>(*given, "mean", {number});
    stddev = reader.constant<double>(*given, "stddev", {number});
    for (const double value : stddev.numbers) {
      if (value == 0) throw Error("`stddev` of `" + std::string(field) + "` must not be 0");
    }
  }

  void write(const double* values, int64_t atom, T* to) const {
    for (int64_t k = 0; k < width; ++k) {
      to[k] = static_cast<T>((values[atom * width + k] - mean[k]) / stddev[k]);
    }
  }

  int64_t width = 0;
  Aligned<double> mean, stddev;
};

template <class T>
class FittingStage final : public Stage {
 public:
  explicit FittingStage(const StageReader& reader)
      : num_types_(reader.inputs.num_types),
        takes_(reader.takes()),
        fparam_(reader, "fparam", reader.inputs.num_fparam),
        aparam_(reader, "aparam", reader.inputs.num_aparam) {
    const ValueType& taken = reader.type_of(takes_);
    if (taken.of_pairs) throw Error("a fitting net must take a descriptor of atoms");
    descriptor_ = taken.width;
    read_types(reader);
    shape_.width = descriptor_ + vector_ + fparam_.width + aparam_.width;
    shape_.activation = activation_of(reader.fields.at("activation").text());
    const std::vector<Json>& nets = reader.fields.at("nets").items();
    if (static_cast<int64_t>(nets.size()) != num_nets() || nets.empty()) {
      throw Error("`nets` of a stage must be " + std::to_string(num_nets()) + " for " +
                  std::to_string(num_types_) + " types, got " + std::to_string(nets.size()));
    }
    set_shape(reader, nets[0].items());
    for (const Json& net : nets) read_net(reader, net.items());
    constant_ = reader.constant<double>("constant", {num_types_});
    read_isolated(reader);
    gives_ = reader.gives({1, false, Precision::float64});
    const std::vector<int32_t> none(num_nets());
    packed_ = std::make_unique<PackedNets<T>>(inputs(0, none.data(), nullptr, nullptr));
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const int64_t n = block.num_atoms;
    const T* descriptor = values.take<T>(takes_);
    if (shape_.width > descriptor_) descriptor = with_parameters(block, descriptor, values);
    T* energy = values.keep<T>(n);
    T* slope = values.keep<T>(n * shape_.width);
    evaluate(block, descriptor, energy, slope);
    double* out = values.give<double>(gives_);
    for (int64_t atom = 0; atom < n; ++atom) {
      out[atom] = static_cast<double>(energy[atom]) + constant_[block.type[atom]];
    }
    if (isolated_.size() > 0) subtract_isolated(block, values, out);
    if (!gradient) return {};
    return [this, slope, &block, &values] { pull(block, slope, values); };
  }

 private:
  // Widths of the layers of the first net, which are those of all.
  void set_shape(const StageReader& reader, const std::vector<Json>& layers) {
    if (layers.size() < 2) throw Error("a fitting net must have a hidden layer");
    shape_.resnet_dt = false;
    for (size_t l = 0; l + 1 < layers.size(); ++l) {
      const std::string& bias = layers[l].at("bias").text();
      const auto width = reader.constant_named<T>(bias, {-1}).size();
      if (width < 1) throw Error("the constant " + bias + " must have numbers, got none");
      shape_.neuron.push_back(width);
      if (has_step(layers[l])) shape_.resnet_dt = true;
    }
  }

  static bool has_step(const Json& layer) {
    const Json* step = layer.find("idt");
    return step != nullptr && !step->is_null();
  }

  void read_net(const StageReader& reader, const std::vector<Json>& layers) {
    if (layers.size() != shape_.neuron.size() + 1) {
      throw Error("the fitting nets of a model must have equally many layers");
    }
    int64_t in = shape_.width;
    for (size_t l = 0; l < layers.size(); ++l) {
      const int64_t out = l < shape_.neuron.size() ? shape_.neuron[l] : 1;
      arrays_.push_back(reader.constant<T>(layers[l], "matrix", {in, out}));
      arrays_.push_back(reader.constant<T>(layers[l], "bias", {out}));
      const bool wanted = l < shape_.neuron.size() && shape_.keeps_width(l) && shape_.resnet_dt;
      if (has_step(layers[l]) != wanted) {
        throw Error("`idt` of a fitting net must be of all layers that keep the width, or none");
      }
      if (wanted) arrays_.push_back(reader.constant<T>(layers[l], "idt", {out}));
      in = out;
    }
  }

  // The vectors of the types behind the descriptor, with which one net serves all.
  void read_types(const StageReader& reader) {
    const Json* given = reader.fields.find("types");
    if (given == nullptr || given->is_null()) return;
    types_ = reader.constant<T>("types", {num_types_, -1});
    vector_ = types_.shape[1];
  }
  int64_t num_nets() const { return types_.size() > 0 ? 1 : num_types_; }

  void read_isolated(const StageReader& reader) {
    const Json* relative = reader.fields.find("relative");
    if (relative == nullptr || relative->is_null()) return;
    for (const Json& one : relative->items()) relative_.push_back(one.boolean());
    if (std::none_of(relative_.begin(), relative_.end(), [](bool one) { return one; })) return;
    if (static_cast<int64_t>(relative_.size()) != num_types_) {
      throw Error("`relative` of a stage must be one for each type");
    }
    isolated_ = reader.constant<T>("isolated", {num_types_, descriptor_});
  }

  FittingInputs<T> inputs(int64_t atoms, const int32_t* atom_count, const T* descriptor,
                          const PackedNets<T>* packed) const {
    const auto nets = static_cast<int32_t>(num_nets());
    FittingInputs<T> in{shape_, atoms, nets, descriptor, atom_count, {}, packed};
    in.weights.reserve(arrays_.size());
    for (const Aligned<T>& array : arrays_) in.weights.push_back(array.data());
    return in;
  }

  void evaluate(const AtomBlock& block, const T* descriptor, T* energy, T* slope) const {
    const auto all = static_cast<int32_t>(block.num_atoms);
    const int32_t* count = types_.size() > 0 ? &all : block.atom_count;
    const FittingInputs<T> in = inputs(block.num_atoms, count, descriptor, packed_.get());
    const int64_t hidden = shape_.hidden_width();
    Scratch<T> before(block.num_atoms * hidden), back(block.num_atoms * hidden);
    fitting_net<T>(in, block.context, {energy, slope, before.data(), back.data()});
  }

  // The descriptors, each with the vector of its type and what its frame and its atom are given
  // behind it.
  const T* with_parameters(const AtomBlock& block, const T* descriptor, Values& values) const {
    T* rows = values.keep<T>(block.num_atoms * shape_.width);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      T* to = std::copy_n(descriptor + atom * descriptor_, descriptor_, rows + atom * shape_.width);
      to = std::copy_n(types_.data() + block.type[atom] * vector_, vector_, to);
      fparam_.write(block.fparam, atom, to);
      aparam_.write(block.aparam, atom, to + fparam_.width);
    }
    return rows;
  }

  void subtract_isolated(const AtomBlock& block, Values& values, double* energy) const {
    T* alone = values.keep<T>(block.num_atoms * descriptor_);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      std::copy_n(isolated_.data() + block.type[atom] * descriptor_, descriptor_,
                  alone + atom * descriptor_);
    }
    T* found = values.keep<T>(block.num_atoms);
    T* slope = values.keep<T>(block.num_atoms * shape_.width);
    const T* rows = shape_.width > descriptor_ ? with_parameters(block, alone, values) : alone;
    evaluate(block, rows, found, slope);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      if (relative_[block.type[atom]]) energy[atom] -= static_cast<double>(found[atom]);
    }
  }

  void pull(const AtomBlock& block, T* slope, Values& values) const {
    const bool unit = values.has_unit_gradient(gives_);
    if (unit && shape_.width == descriptor_) return values.give_gradient(takes_, slope);
    const double* upper = values.gradient<double>(gives_);
    values.add_gradient<T>(takes_, [&](T* out) {
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        const T factor = unit ? T(1) : static_cast<T>(upper[atom]);
        const T* from = slope + atom * shape_.width;
        for (int64_t k = 0; k < descriptor_; ++k) out[atom * descriptor_ + k] = factor * from[k];
      }
    });
  }

  int64_t num_types_, descriptor_, vector_ = 0;
  int takes_, gives_;
  Standardised<T> fparam_, aparam_;
  Aligned<T> types_;
  FittingShape shape_;
  std::vector<Aligned<T>> arrays_;  // of all nets in the order of FittingShape::array_shapes
  std::unique_ptr<PackedNets<T>> packed_;
  Aligned<double> constant_;
  std::vector<bool> relative_;
  Aligned<T> isolated_;
};

}  // namespace

std::unique_ptr<Stage> make_fitting_net(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<FittingStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
