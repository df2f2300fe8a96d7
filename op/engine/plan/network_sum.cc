// The sums of embedding_sum.cc with the nets themselves, evaluated for every pair.
#include <algorithm>

#include "core/curve/node_pass.h"
#include "engine/plan/gate.h"
#include "engine/plan/neighbor_sum_layout.h"
#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class NetworkSumStage final : public Stage {
 public:
  explicit NetworkSumStage(const StageReader& reader)
      : layout_(reader, static_cast<int64_t>(reader.fields.at("nets").items().size())),
        takes_(reader.takes()) {
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
    gate_ = std::make_unique<GateOfTypes<T>>(reader, layout_.columns, nets_.width());
    find_alone();
    gives_ = reader.gives({layout_.columns * nets_.width(), false, kPrecision<T>});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const T* rows = values.take<T>(takes_);
    T* sums = values.give<T>(gives_);
    std::fill_n(sums, block.num_atoms * layout_.columns * nets_.width(), T(0));
    add_empty(block, sums);
    const double* exact = values.take<double>(takes_);
    const double* shares = gate_->shares(block, exact, values);
    over_pieces(block, rows, [&](int64_t pair, int64_t atom, const T* gate, T* node) {
      if (gate != nullptr) apply_gate(gate, shares, pair, node);
      add_pair(rows + pair * layout_.columns, node, sums + atom * layout_.columns * nets_.width());
    });
    if (!gradient) return {};
    return [this, rows, exact, shares, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      double* share_grad = gate_->fades() ? values.keep<double>(block.num_pairs) : nullptr;
      values.add_gradient<T>(takes_, [&](T* out) {
        std::fill_n(out, block.num_pairs * layout_.columns, T(0));
        if (share_grad != nullptr) std::fill_n(share_grad, block.num_pairs, 0.0);
        over_pieces(block, rows, [&](int64_t pair, int64_t atom, const T* gate, T* node) {
          const T* row = rows + pair * layout_.columns;
          const T* of_atom = upper + atom * layout_.columns * nets_.width();
          if (share_grad != nullptr) share_grad[pair] = pull_share(row, node, gate, of_atom);
          if (gate != nullptr) apply_gate(gate, shares, pair, node);
          pull_pair(row, node, of_atom, out + pair * layout_.columns);
        });
        gate_->pull(block, exact, share_grad, out);
      });
    };
  }

 private:
  void read_net(const StageReader& reader, const std::vector<Json>& layers) {
    std::vector<EmbeddingLayer<T>> net;
    int64_t in = 1;
    if (layers.empty()) throw Error("an embedding net must have a layer, got none");
    for (const Json& layer : layers) {
      const auto keep = [&](Aligned<T> array) {
        arrays_.push_back(std::move(array));
        return arrays_.back().data();  // stays where it is when the list grows
      };
      const int64_t out = reader.constant<T>(layer, "bias", {-1}).size();
      if (out < 1) throw Error("a layer of an embedding net must have numbers, got none");
      const T* matrix = keep(reader.constant<T>(layer, "matrix", {in, out}));
      const T* bias = keep(reader.constant<T>(layer, "bias", {out}));
      const Json* step = layer.find("idt");
      const bool scaled = step != nullptr && !step->is_null();
      const T* idt = scaled ? keep(reader.constant<T>(layer, "idt", {out})) : nullptr;
      net.push_back({in, out, matrix, bias, idt});
      in = out;
    }
    nets_.layers.push_back(net);
  }

  // G at the place without a neighbour, for each neighbour and centre type.
  void find_alone() {
    const int64_t types = layout_.types, width = nets_.width(), padded = padded_width<T>(width);
    alone_.numbers.assign(types * types * width, T(0));
    std::vector<T> node(2 * padded);
    for (int64_t k = 0; k < types * types; ++k) {
      if (layout_.curve[k] < 0) continue;
      const Point point{layout_.empty[k], {1, 1}, 0, 1};
      Pass<T> pass(nets_, &point);
      pass.forward({layout_.curve[k], 0, 1}, false);
      pass.write(node.data());
      std::copy_n(node.data(), width, alone_.data() + k * width);
    }
  }

  void add_empty(const AtomBlock& block, T* sums) const {
    const int64_t types = layout_.types, width = nets_.width();
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      T* to = sums + atom * layout_.columns * width;
      for (int64_t t = 0; t < types; ++t) {
        const int64_t of = t * types + block.type[atom];
        if (layout_.curve[of] < 0) continue;
        double weight = layout_.sel[t] - block.neighbor_count[atom * types + t];
        if (layout_.columns == 4) weight *= layout_.empty[of];
        for (int64_t m = 0; m < width; ++m) {
          to[m] += static_cast<T>(weight) * alone_[of * width + m];
        }
      }
    }
  }

  // Calls body(pair, atom, gate, value and slope of its net [2, padded M]) for all pairs that have
  // one; gate is null where there are none.
  template <class Body>
  void over_pieces(const AtomBlock& block, const T* rows, const Body& body) const {
    const int64_t types = layout_.types, padded = padded_width<T>(nets_.width());
    Scratch<Point> points(kPiece);
    Pass<T> pass(nets_, points.data());
    Scratch<T> nodes(kPiece * 2 * padded);
    int64_t pair = 0;
    for (int64_t t = 0; t < types; ++t) {
      for (int64_t atom = 0; atom < block.num_atoms;) {  // a slice of atoms of one type
        const int32_t type = block.type[atom];
        int64_t end = pair;
        for (; atom < block.num_atoms && block.type[atom] == type; ++atom) {
          end += block.neighbor_count[atom * types + t];
        }
        const int32_t curve = layout_.curve[t * types + type];
        const T* gate = gate_->given() ? gate_->of_block(t * types + type) : nullptr;
        for (; pair < end && curve >= 0; pair += kPiece) {
          const int64_t count = std::min(kPiece, end - pair);
          for (int64_t k = 0; k < count; ++k) {
            points[k] = {static_cast<double>(rows[(pair + k) * layout_.columns]), {1, 1}, k, 1};
          }
          pass.forward({curve, 0, count}, false);
          pass.write(nodes.data());
          for (int64_t k = 0; k < count; ++k) {
            body(pair + k, block.centre[pair + k], gate, nodes.data() + k * 2 * padded);
          }
        }
        pair = end;
      }
    }
  }

  // Multiplies value and slope by 1 + p h.
  void apply_gate(const T* gate, const double* shares, int64_t pair, T* node) const {
    const int64_t width = nets_.width();
    const T share = shares == nullptr ? T(1) : static_cast<T>(shares[pair]);
    T* slope = node + padded_width<T>(width);
    for (int64_t m = 0; m < width; ++m) {
      const T factor = T(1) + share * gate[m];
      node[m] *= factor;
      slope[m] *= factor;
    }
  }

  // The gradient in the share of a pair.
  double pull_share(const T* row, const T* node, const T* gate, const T* upper) const {
    const int64_t width = nets_.width();
    T sum = 0;
    for (int64_t w = 0; w < layout_.columns; ++w, upper += width) {
      T of_row = 0;
      for (int64_t m = 0; m < width; ++m) of_row += gate[m] * node[m] * upper[m];
      sum += row[w] * of_row;
    }
    return static_cast<double>(sum);
  }

  void add_pair(const T* row, const T* node, T* sum) const {
    const int64_t width = nets_.width();
    for (int64_t w = 0; w < layout_.columns; ++w, sum += width) {
      const T weight = layout_.columns == 4 ? row[w] : T(1);
      for (int64_t m = 0; m < width; ++m) sum[m] += weight * node[m];
    }
  }

  void pull_pair(const T* row, const T* node, const T* upper, T* out) const {
    const int64_t width = nets_.width();
    const T* slope = node + padded_width<T>(width);
    T along = 0;
    for (int64_t w = 0; w < layout_.columns; ++w, upper += width) {
      T of_value = 0, of_slope = 0;
#pragma omp simd reduction(+ : of_value, of_slope)
      for (int64_t m = 0; m < width; ++m) {
        of_value += node[m] * upper[m];
        of_slope += slope[m] * upper[m];
      }
      if (layout_.columns == 4) out[w] += of_value;
      along += (layout_.columns == 4 ? row[w] : T(1)) * of_slope;
    }
    out[0] += along;
  }

  SumLayout layout_;
  int takes_, gives_;
  std::vector<Aligned<T>> arrays_;
  EmbeddingNets<T> nets_;
  std::unique_ptr<GateOfTypes<T>> gate_;
  Aligned<T> alone_;  // [T, T, M] neighbour type first
};

}  // namespace

std::unique_ptr<Stage> make_network_sum(const StageReader& reader) {
  return with_precision(reader.precision(), [&](auto zero) -> std::unique_ptr<Stage> {
    return std::make_unique<NetworkSumStage<decltype(zero)>>(reader);
  });
}

}  // namespace deeptf
