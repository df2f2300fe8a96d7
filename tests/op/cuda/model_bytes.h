// Models with random constants as bytes of a model file, for tests and the benchmark of the engine
// on a GPU: what all of them are made of.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "graph_bytes.h"

namespace deeptf_test {

class ModelBytes {
 public:
  // Settings.
  int64_t types = 2, width = 8, axis = 3;
  double rcut = 3, rcut_smth = 1;
  std::vector<int64_t> neuron{6, 6};        // of the fitting nets
  int64_t data_nodes = 40, near_nodes = 9;  // of a curve
  double data_end = 5;                      // x where the range of the data ends
  bool single = false;                      // float32
  bool idt = false;
  int64_t fparam = 0, aparam = 0;
  bool relative = false;  // energies are those over isolated atoms
  bool one_net = false;   // for all types, which have vectors; and places without a type
  int64_t left_out = -1;  // a block of types without a net
  std::string output = "energy";
  int64_t numbers = 0;     // of another property that an atom has
  bool masked = false;     // aparam says which atoms are there
  int64_t spin_types = 0;  // as many of the last types are virtual atoms of the first ones

  virtual ~ModelBytes() = default;

  std::string bytes() {
    nodes_.clear();
    engine_.seed(1);
    const std::string plan = "[" + terms() + "]";
    return node(output, "", "T", "Identity") + placeholder("fparam", fparam) +
           placeholder("aparam", aparam) + nodes_ + described(metadata(plan));
  }

 protected:
  std::string prefix;  // of the names of constants

  // Of the term, up to the value "energy".
  virtual std::string stages() = 0;
  virtual std::string terms() { return term(stages(), output); }

  std::string term(const std::string& stages, const std::string& value) const {
    return R"({"stages": [)" + stages + R"(], "values": {)" + quoted("atom_" + output) + ": " +
           quoted(value) + "}}";
  }

  static std::string number(double value) { return std::to_string(value); }
  static std::string quoted(const std::string& text) { return "\"" + text + "\""; }
  static std::string truth(bool value) { return value ? "true" : "false"; }
  static std::string stage(const std::string& kernel, const std::string& rest) {
    return R"({"kernel": )" + quoted(kernel) + (rest.empty() ? "" : ", " + rest) + "}";
  }
  static std::string placeholder(const std::string& name, int64_t count) {
    return count == 0 ? "" : node(name, field(7, shape_of({-1, count})), "shape", "Placeholder");
  }
  std::string precision() const {
    return std::string(R"("precision": ")") + (single ? "float32" : "float64") + "\"";
  }

  std::string metadata(const std::string& plan) const {
    std::string names;
    for (int64_t t = 0; t < types; ++t) {
      names += std::string(t > 0 ? ", " : "") + quoted("T" + std::to_string(t));
    }
    return R"({"format": 2, "deeptf_version": "0.1.0", "outputs": [)" + quoted(output) +
           R"(], "masked": )" + truth(masked) + R"(, "given": {"dos": {"width": )" +
           std::to_string(numbers) +
           R"(}}, "doors": ["pairs"],
      "arrays": [], "hops": 1, "pair_bytes": 8, "atom_bytes": 8, "table_range": null, "model": {},
      "type_map": [)" +
           names + "]" + spins() + R"(, "rcut": )" + number(rcut) + R"(, "numb_fparam": )" +
           std::to_string(fparam) + R"(, "numb_aparam": )" + std::to_string(aparam) +
           R"(, "plan": )" + plan + "}";
  }

  std::string spins() const {
    if (spin_types == 0) return "";
    std::string length, norm;
    for (int64_t t = 0; t < spin_types; ++t) {
      length += std::string(t > 0 ? ", " : "") + "0." + std::to_string(3 + t);
      norm += std::string(t > 0 ? ", " : "") + "1." + std::to_string(2 + t);
    }
    return R"(, "spin": {"virtual_len": [)" + length + R"(], "spin_norm": [)" + norm + "]}";
  }

  // Adds a constant and returns a member that names it.
  std::string constant(const std::string& member, const std::string& name,
                       const std::vector<double>& numbers, const Shape& shape) {
    nodes_ += node(prefix + name, tensor(kDouble, field(4, bytes_of(numbers)), shape));
    return quoted(member) + ": " + quoted(prefix + name);
  }
  std::string constant(const std::string& member, const std::string& name,
                       const std::vector<int32_t>& numbers, const Shape& shape) {
    nodes_ += node(prefix + name, tensor(kInt32, field(4, bytes_of(numbers)), shape));
    return quoted(member) + ": " + quoted(prefix + name);
  }
  std::vector<double> random(int64_t count, double scale, double middle = 0) {
    std::normal_distribution<double> draw(middle, scale);
    std::vector<double> numbers(count);
    for (double& value : numbers) value = draw(engine_);
    return numbers;
  }

  // Rows of the environment; what the statistics are goes with them.
  std::string environment(const std::string& gives, int columns, const std::string& pairs,
                          double own_rcut) {
    return stage("environment", R"("takes": )" + quoted(pairs) + R"(, "gives": )" + quoted(gives) +
                                    R"(, "columns": )" + std::to_string(columns) +
                                    R"(, "rcut_smth": )" + number(rcut_smth) + R"(, "rcut": )" +
                                    number(own_rcut) + ", " + statistics(gives, columns)) +
           ", ";
  }
  std::string statistics(const std::string& name, int columns) {
    std::vector<double> mean(types * columns), stddev(types * columns);
    for (int64_t k = 0; k < types * columns; ++k) {
      mean[k] = k % columns == 0 ? 0.1 : 0;
      stddev[k] = (k % columns == 0 ? 0.2 : 0.1) + 0.01 * static_cast<double>(k / columns);
    }
    return constant("mean", name + "/mean", mean, {types, columns}) + ", " +
           constant("stddev", name + "/stddev", stddev, {types, columns});
  }

  // Curves sin(a x + b), each with the range of the data and what lies beyond.
  std::string table(const std::string& name, int64_t curves) {
    const int64_t each = data_nodes + near_nodes;
    const double start = -1, far = 3 * data_end;
    std::vector<int32_t> row{0};
    std::vector<double> grid, nodes;
    for (int64_t c = 0; c < curves; ++c) {
      const std::vector<double> a = random(width, 0.6), b = random(width, 1);
      for (const bool near : {false, true}) {
        const int64_t count = near ? near_nodes : data_nodes;
        const double from = near ? data_end : start, to = near ? far : data_end;
        const double step = (to - from) / static_cast<double>(count - 1);
        row.push_back(static_cast<int32_t>(row.back() + count));
        grid.insert(grid.end(), {from, step});
        for (int64_t k = 0; k < count; ++k) {
          const double x = from + static_cast<double>(k) * step;
          for (int64_t m = 0; m < width; ++m) nodes.push_back(std::sin(a[m] * x + b[m]));
          for (int64_t m = 0; m < width; ++m) {
            nodes.push_back(a[m] * step * std::cos(a[m] * x + b[m]));
          }
        }
      }
    }
    return R"("segments": 2, "near": 1, "width": )" + std::to_string(width) + ", " + precision() +
           ", " + constant("nodes", name + "/nodes", nodes, {curves * each, 2, width}) + ", " +
           constant("node_row", name + "/node_row", row, {2 * curves + 1}) + ", " +
           constant("grid", name + "/grid", grid, {2 * curves, 2});
  }

  // Which net each block of pairs has, and the places without a neighbour; `left_out` is a block
  // without a net.
  std::string blocks(const std::string& name, int64_t curves) {
    std::vector<int32_t> curve;
    for (int64_t k = 0; k < types * types; ++k) {
      curve.push_back(k == left_out ? -1 : static_cast<int32_t>(k % curves));
    }
    const std::vector<double> sel = random(types, 0.5, one_net ? 0 : 20);
    return constant("curve", name + "/curve", curve, {types, types}) + ", " +
           constant("sel", name + "/sel", sel, {types}) + ", " +
           constant("empty", name + "/empty", std::vector<double>(types * types, -0.5),
                    {types, types});
  }

  // Embedding nets of layers of half the width and of all of it; with `alike` they differ in the
  // bias of their first layer alone.
  std::string embedding_nets(int64_t number, bool alike = false) {
    std::string nets;
    for (int64_t k = 0; k < (alike ? 1 : number); ++k) {
      std::string layers;
      int64_t in = 1;
      for (const int64_t out : {width / 2, width}) {
        const std::string at = "embedding/" + std::to_string(k) + "/" + std::to_string(out);
        layers += (in > 1 ? ", {" : "{") +
                  constant("matrix", at + "/matrix", random(in * out, 0.5), {in, out}) + ", " +
                  constant("bias", at + "/bias", random(out, 0.5), {out});
        if (idt && in > 1) {
          layers += ", " + constant("idt", at + "/idt", random(out, 0.1, 0.5), {out});
        }
        layers += "}";
        in = out;
      }
      nets += (k > 0 ? ", [" : "[") + layers + "]";
    }
    const std::string text =
        R"("activation": "tanh", )" + precision() + R"(, "nets": [)" + nets + "]";
    if (!alike) return text;
    const int64_t half = width / 2;
    return text + ", " +
           constant("first_bias", "embedding/first", random(number * half, 0.5), {number, half});
  }

  // Shares of pairs, where they fade out at the cut-off.
  std::string share_of_pairs(const std::string& name, bool fade) {
    if (!fade) return "null";
    return R"({"rcut_smth": )" + number(rcut_smth) + ", " + statistics(name, 4) + "}";
  }
  // Gates of the blocks of pairs, with shares.
  std::string gate_of_types(bool fade) {
    return R"("share": )" + share_of_pairs("gate/share", fade) + ", " +
           constant("gate", "gate", random(types * types * width, 0.3), {types, types, width});
  }

  // The descriptor of sums, which have its name and "/sums".
  std::string moment_stage(const std::string& name) const {
    return stage("moment_product", R"("places": 40, "takes": )" + quoted(name + "/sums") +
                                       R"(, "gives": )" + quoted(name) + R"(, "axis": )" +
                                       std::to_string(axis) + ", " + precision()) +
           ", ";
  }

  // The same of sums of one column.
  std::string scaled_stage(const std::string& name) {
    return stage("scaled_sum", R"("divisor": 40, "takes": )" + quoted(name + "/sums") +
                                   R"(, "gives": )" + quoted(name) + ", " + precision() + ", " +
                                   constant("added", name + "/added", random(types * width, 0.1),
                                            {types, width})) +
           ", ";
  }

  std::string standardised(const std::string& member, int64_t count) {
    if (count == 0) return quoted(member) + ": null";
    return quoted(member) + ": {" + constant("mean", member + "/mean", random(count, 1), {count}) +
           ", " + constant("stddev", member + "/stddev", random(count, 0.1, 1), {count}) + "}";
  }

  std::string net(const std::string& name, int64_t in, int64_t last_width = 1) {
    std::string layers;
    int64_t from = in;
    for (size_t l = 0; l <= neuron.size(); ++l) {
      const bool last = l == neuron.size();
      const int64_t out = last ? last_width : neuron[l];
      const std::string at = name + "/" + std::to_string(l);
      const double scale = 1 / std::sqrt(static_cast<double>(from));
      layers += (l > 0 ? ", {" : "{") +
                constant("matrix", at + "/matrix", random(from * out, scale), {from, out}) + ", " +
                constant("bias", at + "/bias", random(out, 0.1), {out});
      if (idt && !last && l > 0 && out == from) {
        layers += ", " + constant("idt", at + "/idt", random(out, 0.1, 0.5), {out});
      }
      layers += "}";
      from = out;
    }
    return "[" + layers + "]";
  }

  std::string fitting_stage(const std::string& takes, int64_t descriptor) {
    const int64_t vector = one_net ? 3 : 0, own = types - spin_types;  // those with energies
    std::string nets, isolated, flags;
    for (int64_t t = 0; t < (one_net ? 1 : own); ++t) {
      nets += (t > 0 ? ", " : "") +
              net("net" + std::to_string(t), descriptor + vector + fparam + aparam);
    }
    if (relative) {
      for (int64_t t = 0; t < own; ++t)
        flags += t % 2 == 0 ? (t > 0 ? ", true" : "true") : ", false";
      isolated = R"(, "relative": [)" + flags + "], " +
                 constant("isolated", "isolated", random(own * descriptor, 1), {own, descriptor});
    }
    if (one_net) {
      isolated += ", " + constant("types", "types", random(own * vector, 1), {own, vector});
    }
    return stage("fitting_net", R"("takes": )" + quoted(takes) +
                                    R"(, "gives": "energy", "activation": "tanh", "nets": [)" +
                                    nets + "], " + precision() + ", " +
                                    constant("constant", "constant", random(own, 3), {own}) + ", " +
                                    standardised("fparam", fparam) + ", " +
                                    standardised("aparam", aparam) + isolated);
  }

 private:
  std::mt19937 engine_;
  std::string nodes_;
};

}  // namespace deeptf_test
