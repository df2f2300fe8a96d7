// What a fitting net is made of, and whether it can be used.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/nets/fitting_net.h"
#include "engine/plan/net_inputs.h"

namespace deeptf {

template <class T>
struct FittingConstants : NetInputs<T> {
  using NetInputs<T>::num_types;
  using NetInputs<T>::descriptor;
  using NetInputs<T>::types;

  // Throws Error where something is not as it must be.
  explicit FittingConstants(const StageReader& reader) : NetInputs<T>(reader) {
    shape.width = this->width;
    shape.activation = activation_of(reader.fields.at("activation").text());
    const std::vector<Json>& nets = reader.fields.at("nets").items();
    if (static_cast<int64_t>(nets.size()) != num_nets() || nets.empty()) {
      throw Error("`nets` of a stage must be " + std::to_string(num_nets()) + " for " +
                  std::to_string(num_types) + " types, got " + std::to_string(nets.size()));
    }
    set_shape(reader, nets[0].items());
    for (const Json& net : nets) read_net(reader, net.items());
    constant = reader.constant<double>("constant", {num_types});
    read_isolated(reader);
    gives = reader.gives({1, false, Precision::float64});
  }

  int64_t num_nets() const { return types.size() > 0 ? 1 : num_types; }
  // The numbers of atoms of each net, from those of the types.
  const int32_t* atoms_of_nets(const int32_t* atom_count, const int32_t* all) const {
    return types.size() > 0 ? all : atom_count;
  }

  int gives;
  FittingShape shape;
  std::vector<Aligned<T>> arrays;  // of all nets in the order of FittingShape::array_shapes
  Aligned<double> constant;        // [T]
  std::vector<bool> relative;      // types whose energy is relative to that of an isolated atom
  Aligned<T> isolated;             // [T, descriptor] of such an atom, or nothing

 private:
  // Widths of the layers of the first net, which are those of all.
  void set_shape(const StageReader& reader, const std::vector<Json>& layers) {
    if (layers.size() < 2) throw Error("a fitting net must have a hidden layer");
    shape.resnet_dt = false;
    for (size_t l = 0; l + 1 < layers.size(); ++l) {
      const std::string& bias = layers[l].at("bias").text();
      const auto width = reader.constant_named<T>(bias, {-1}).size();
      if (width < 1) throw Error("the constant " + bias + " must have numbers, got none");
      shape.neuron.push_back(width);
      if (has_step(layers[l])) shape.resnet_dt = true;
    }
  }

  void read_net(const StageReader& reader, const std::vector<Json>& layers) {
    if (layers.size() != shape.neuron.size() + 1) {
      throw Error("the fitting nets of a model must have equally many layers");
    }
    int64_t in = shape.width;
    for (size_t l = 0; l < layers.size(); ++l) {
      const int64_t out = l < shape.neuron.size() ? shape.neuron[l] : 1;
      arrays.push_back(reader.constant<T>(layers[l], "matrix", {in, out}));
      arrays.push_back(reader.constant<T>(layers[l], "bias", {out}));
      const bool wanted = l < shape.neuron.size() && shape.keeps_width(l) && shape.resnet_dt;
      if (has_step(layers[l]) != wanted) {
        throw Error("`idt` of a fitting net must be of all layers that keep the width, or none");
      }
      if (wanted) arrays.push_back(reader.constant<T>(layers[l], "idt", {out}));
      in = out;
    }
  }

  void read_isolated(const StageReader& reader) {
    const Json* given = reader.fields.given("relative");
    if (given == nullptr) return;
    for (const Json& one : given->items()) relative.push_back(one.boolean());
    if (std::none_of(relative.begin(), relative.end(), [](bool one) { return one; })) return;
    if (static_cast<int64_t>(relative.size()) != num_types) {
      throw Error("`relative` of a stage must be one for each type");
    }
    isolated = reader.constant<T>("isolated", {num_types, descriptor});
  }
};

}  // namespace deeptf
