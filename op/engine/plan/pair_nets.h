// Embedding nets that are evaluated for every pair, as stages that have them share.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "core/curve/node_pass.h"
#include "engine/plan/stage_reader.h"

namespace deeptf {

// Pairs in the order of pair_order.h, and the net of each block of them.
struct PairBlocks {
  int64_t num_atoms, num_types;
  const int32_t *type, *neighbor_count;  // as in AtomBlock
  const int32_t* curve;                  // [T, T] neighbour type first; -1: none
};

template <class T>
class PairNets {
 public:
  // Reads `nets`, `activation` and, where all nets but for one bias are the same, `first_bias`.
  explicit PairNets(const StageReader& reader) {
    nets_.activation = activation_of(reader.fields.at("activation").text());
    for (const Json& net : reader.fields.at("nets").items()) read_net(reader, net.items());
    if (nets_.layers.empty()) throw Error("`nets` of a stage must be at least one, got none");
    const auto are_equal = [](const auto& a, const auto& b) { return a.width == b.width; };
    const auto& first = nets_.layers[0];  // by which Pass measures its memory
    for (const auto& net : nets_.layers) {
      if (!std::equal(net.begin(), net.end(), first.begin(), first.end(), are_equal)) {
        throw Error("the embedding nets of a model must have layers of equal widths");
      }
    }
    read_first_bias(reader);
  }

  const EmbeddingNets<T>& nets() const { return nets_; }
  // Whether all nets are the same but for the bias of their first layer.
  bool share_layers() const { return share_layers_; }
  int64_t number() const { return static_cast<int64_t>(nets_.layers.size()); }
  int64_t width() const { return nets_.width(); }

  // Writes G at one place, [M].
  void write_at(double x, int32_t curve, T* value) const {
    Scratch<T> node(2 * padded_width<T>(width()));
    const Point point{x, {1, 1}, 0, 1};
    Pass<T> pass(nets_, &point);
    pass.forward({curve, 0, 1}, false);
    pass.write(node.data());
    std::copy_n(node.data(), width(), value);
  }

  // Calls body(pair, block, value [M], slope [M]) for all pairs that have a net, which is evaluated
  // at x[pair * stride]. Both may be changed.
  template <class Body>
  void over_pairs(const PairBlocks& blocks, const T* x, int64_t stride, const Body& body) const {
    const int64_t types = blocks.num_types, padded = padded_width<T>(width());
    Scratch<Point> points(kPiece);
    Pass<T> pass(nets_, points.data());
    Scratch<T> nodes(kPiece * 2 * padded);
    int64_t pair = 0;
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < blocks.num_atoms;) {  // a slice of atoms of one type
        const int32_t type = blocks.type[atom];
        int64_t end = pair;
        for (; atom < blocks.num_atoms && blocks.type[atom] == type; ++atom) {
          end += blocks.neighbor_count[atom * types + t];
        }
        const int64_t block = t * types + type;
        for (; pair < end && blocks.curve[block] >= 0; pair += kPiece) {
          const int64_t count = std::min(kPiece, end - pair);
          for (int64_t k = 0; k < count; ++k) {
            points[k] = {static_cast<double>(x[(pair + k) * stride]), {1, 1}, k, 1};
          }
          pass.forward({blocks.curve[block], 0, count}, false);
          pass.write(nodes.data());
          for (int64_t k = 0; k < count; ++k) {
            T* value = nodes.data() + k * 2 * padded;
            body(pair + k, block, value, value + padded);
          }
        }
        pair = end;
      }
    }
  }

 private:
  const T* keep(Aligned<T> array) {
    arrays_.push_back(std::move(array));
    return arrays_.back().data();  // stays where it is when the list grows
  }

  void read_net(const StageReader& reader, const std::vector<Json>& layers) {
    std::vector<EmbeddingLayer<T>> net;
    int64_t in = 1;
    if (layers.empty()) throw Error("an embedding net must have a layer, got none");
    for (const Json& layer : layers) {
      const int64_t out = reader.constant<T>(layer, "bias", {-1}).size();
      if (out < 1) throw Error("a layer of an embedding net must have numbers, got none");
      const T* matrix = keep(reader.constant<T>(layer, "matrix", {in, out}));
      const T* bias = keep(reader.constant<T>(layer, "bias", {out}));
      const T* idt =
          layer.given("idt") != nullptr ? keep(reader.constant<T>(layer, "idt", {out})) : nullptr;
      net.push_back({in, out, matrix, bias, idt});
      in = out;
    }
    nets_.layers.push_back(net);
  }

  void read_first_bias(const StageReader& reader) {
    const Json* given = reader.fields.given("first_bias");
    if (given == nullptr) return;
    if (number() != 1) {
      throw Error("`nets` of a stage with `first_bias` must be one, got " +
                  std::to_string(number()));
    }
    const int64_t width = nets_.layers[0][0].width;
    Aligned<T> biases = reader.constant<T>("first_bias", {-1, width});
    const int64_t curves = biases.shape[0];
    if (curves < 1) throw Error("`first_bias` of a stage must be of a curve, got none");
    nets_.layers.resize(curves, nets_.layers[0]);
    const T* bias = keep(std::move(biases));
    for (int64_t k = 0; k < curves; ++k) nets_.layers[k][0].bias = bias + k * width;
    share_layers_ = true;
  }

  std::vector<Aligned<T>> arrays_;
  EmbeddingNets<T> nets_;
  bool share_layers_ = false;
};

}  // namespace deeptf
