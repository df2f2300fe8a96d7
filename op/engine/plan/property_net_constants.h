// What nets of any number of outputs are made of, and whether they can be used.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/activation.h"
#include "engine/plan/net_inputs.h"

namespace deeptf {

// y = f(x W + b) (.) d, plus x where the width stays, but for the last layer, y = x W + b.
template <class T>
struct DenseLayer {
  DenseLayer(const StageReader& reader, const Json& layer, int64_t in, bool is_first, bool is_last)
      : in(in), matrix(reader.constant<T>(layer, "matrix", {in, -1})), out(matrix.shape[1]) {
    if (out < 1) throw Error("a layer of a net must have numbers, got none");
    bias = reader.constant<T>(layer, "bias", {out});
    residual = !is_first && !is_last && in == out;
    if (!has_step(layer)) return;
    if (!residual) throw Error("`idt` of a net must be of layers that keep the width alone");
    step = reader.constant<T>(layer, "idt", {out});
  }

  int64_t in;
  Aligned<T> matrix;
  int64_t out;
  Aligned<T> bias, step;  // no step: ones
  bool residual;
};

// Atoms of a type, which are one behind the other, and their net.
struct AtomsOfNet {
  size_t net;
  int64_t first, rows;
};

// The types that have numbers; others have zeros.
struct ChosenTypes {
  std::vector<bool> is_chosen;
  bool one_net;

  size_t number() const {
    return static_cast<size_t>(std::count(is_chosen.begin(), is_chosen.end(), true));
  }
  // Of the atoms of each type.
  std::vector<AtomsOfNet> atoms_of_nets(const int32_t* atom_count) const {
    std::vector<AtomsOfNet> parts;
    int64_t first = 0;
    size_t next = 0;
    for (size_t t = 0; t < is_chosen.size(); first += atom_count[t++]) {
      if (!is_chosen[t]) continue;
      const size_t net = one_net ? 0 : next++;
      if (atom_count[t] > 0) parts.push_back({net, first, atom_count[t]});
    }
    return parts;
  }
};

template <class T>
struct PropertyNetConstants : NetInputs<T> {
  // Throws Error where something is not as it must be.
  explicit PropertyNetConstants(const StageReader& reader)
      : NetInputs<T>(reader), activation(activation_of(reader.fields.at("activation").text())) {
    read_chosen(reader);
    for (const Json& net : reader.fields.at("nets").items()) read_net(reader, net.items());
    const size_t wanted = chosen.one_net ? 1 : chosen.number();
    if (nets.size() != wanted || nets.empty()) {
      throw Error("`nets` of a stage must be " + std::to_string(wanted) + " for " +
                  std::to_string(chosen.number()) + " types, got " + std::to_string(nets.size()));
    }
    numbers = nets[0].back().out;
    for (const std::vector<DenseLayer<T>>& net : nets) {
      if (net.back().out == numbers) continue;
      throw Error("the nets of a model must give equally many numbers");
    }
    gives = reader.gives({numbers, false, Precision::float64});
  }

  Activation activation;
  int gives;
  int64_t numbers;  // of an atom
  ChosenTypes chosen;
  std::vector<std::vector<DenseLayer<T>>> nets;

 private:
  void read_chosen(const StageReader& reader) {
    for (const Json& one : reader.fields.at("chosen").items()) {
      chosen.is_chosen.push_back(one.boolean());
    }
    if (static_cast<int64_t>(chosen.is_chosen.size()) != this->num_types) {
      throw Error("`chosen` of a stage must be one for each type");
    }
    chosen.one_net = this->types.size() > 0;
  }

  void read_net(const StageReader& reader, const std::vector<Json>& layers) {
    if (layers.empty()) throw Error("a net must have a layer, got none");
    std::vector<DenseLayer<T>> net;
    int64_t in = this->width;
    for (size_t l = 0; l < layers.size(); ++l) {
      net.emplace_back(reader, layers[l], in, l == 0, l + 1 == layers.size());
      in = net.back().out;
    }
    nets.push_back(std::move(net));
  }
};

}  // namespace deeptf
