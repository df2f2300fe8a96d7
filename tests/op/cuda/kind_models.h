// Models of other kinds with random constants, each a way from pairs to a descriptor.
#pragma once

#include "table_model.h"

namespace deeptf_test {

// Sums with gates of types (se_atten without attention, se_a_ebd_v2).
class GatedModel : public ModelBytes {
 public:
  bool fade = true;  // whether gates fade out at the cut-off

 private:
  std::string stages() override {
    return environment("rows", 4, "pairs", rcut) +
           stage("gated_sum", R"("takes": "rows", "gives": "atom/sums", "columns": 4, )" +
                                  table("sums", 1) + ", " + blocks("sums", 1) + ", " +
                                  gate_of_types(fade)) +
           ", " + moment_stage("atom") + fitting_stage("atom", width * axis);
  }
};

// Sums with nets in place of tables, with gates or without.
class NetworkModel : public ModelBytes {
 public:
  int columns = 4;
  bool gated = false;
  bool alike = false;  // nets but for their first bias

 private:
  std::string stages() override {
    const int64_t nets = gated ? 1 : types * types;
    return environment("rows", columns, "pairs", rcut) +
           stage(gated ? "gated_network_sum" : "network_sum",
                 R"("takes": "rows", "gives": "atom/sums", "columns": )" + std::to_string(columns) +
                     ", " + embedding_nets(nets, alike) + ", " + blocks("sums", nets) +
                     (gated ? ", " + gate_of_types(true) : "")) +
           ", " + (columns == 4 ? moment_stage("atom") : scaled_stage("atom")) +
           fitting_stage("atom", columns == 4 ? width * axis : width);
  }
};

// Attention between the pairs of an atom (se_atten).
class AttentionModel : public ModelBytes {
 public:
  int64_t layers = 2, attn = 5;
  bool smooth = true, dotr = true, diagonal = true, gated = true;

 private:
  std::string stages() override {
    const int64_t nets = gated ? 1 : types;
    return environment("rows", 4, "pairs", rcut) +
           stage("pair_network", R"("takes": "rows", "gives": "values", )" +
                                     embedding_nets(nets, !gated) + ", " + blocks("values", nets) +
                                     (gated ? ", " + gate_of_types(smooth) : "")) +
           ", " +
           stage("attention_sum",
                 R"("takes": ["values", "rows"], "gives": "atom/sums", "epsilon": 0.001, )"
                 R"("places": 30, "dotr": )" +
                     truth(dotr) + R"(, "diagonal": )" + truth(diagonal) + R"(, "share": )" +
                     share_of_pairs("attention/share", smooth) + ", " + precision() + ", " +
                     blocks("attention", 1) + R"(, "layers": [)" + layer_list() + "]") +
           ", " + moment_stage("atom") + fitting_stage("atom", width * axis);
  }

  std::string layer_list() {
    std::string all;
    for (int64_t l = 0; l < layers; ++l) {
      const std::string at = "attention/" + std::to_string(l);
      all += l > 0 ? ", {" : "{";
      for (const std::string part : {"query", "key", "value"}) {
        all += quoted(part) + ": " + linear(at + "/" + part, width, attn) + ", ";
      }
      all += R"("output": )" + linear(at + "/output", attn, width) + ", " +
             constant("scale", at + "/scale", random(width, 0.2, 1), {width}) + ", " +
             constant("shift", at + "/shift", random(width, 0.2), {width}) + "}";
    }
    return all;
  }

  std::string linear(const std::string& at, int64_t in, int64_t out) {
    return "{" + constant("matrix", at + "/matrix", random(in * out, 0.5), {in, out}) + ", " +
           constant("bias", at + "/bias", random(out, 0.5), {out}) + "}";
  }
};

// Sums over two neighbours at a time (se_e3).
class TripleModel : public ModelBytes {
 public:
  bool bent = false;  // tables by asinh

 private:
  std::string stages() override {
    const int64_t nets = types * (types + 3) / 2;
    return environment("rows", 4, "pairs", rcut) +
           stage("triple_sum", R"("takes": "rows", "gives": "atom/sums", "bent": )" +
                                   std::string(bent ? "true, " : "false, ") + table("sums", nets)) +
           ", " + scaled_stage("atom") + fitting_stage("atom", width);
  }
};

// The same with nets in place of tables.
class TripleNetworkModel : public ModelBytes {
  std::string stages() override {
    const int64_t nets = types * (types + 3) / 2;
    return environment("rows", 4, "pairs", rcut) +
           stage("triple_network_sum",
                 R"("takes": "rows", "gives": "atom/sums", )" + embedding_nets(nets) + ", " +
                     constant("shares", "shares", random(nets, 0.3, 1), {nets})) +
           ", " + scaled_stage("atom") + fitting_stage("atom", width);
  }
};

// Vectors or tensors of atoms from axes of sums, or any numbers of them.
class PropertyModel : public ModelBytes {
 public:
  PropertyModel(const std::string& name, int64_t count) { output = name, numbers = count; }

  bool diagonal = true;                  // tensors of one number for each axis
  std::vector<bool> chosen{true, true};  // types that have numbers

 protected:
  std::string stages() override { return property_stages(output, numbers); }

  std::string property_stages(const std::string& property, int64_t count) {
    const std::string all =
        environment("rows", 4, "pairs", rcut) + sums("atom") + sums("other") + moment_stage("atom");
    if (property == "dos") return all + net_stage("dos", count);
    const std::string axes = all +
                             stage("axes", R"("takes": ["other/sums", "atom/sums"], )"
                                           R"("places": [30, 40], "gives": "axes")") +
                             ", ";
    const bool full = property == "polar" && !diagonal;
    const std::string more = R"("takes": ["axes", "numbers"], "gives": )" + quoted(property);
    const std::string with_numbers =
        axes + net_stage("numbers", 2 * width * (full ? 2 * width : 1)) + ", ";
    if (property == "dipole") return with_numbers + stage("axis_vector", more);
    return with_numbers + stage("axis_tensor", more + R"(, "diagonal": )" + truth(diagonal) +
                                                   R"(, "scale": [)" + each_type("1.5") +
                                                   R"(], "added": [)" + each_type("-0.3") + "]");
  }

  std::string sums(const std::string& name) {
    return stage("embedding_sum", R"("takes": "rows", "gives": )" + quoted(name + "/sums") +
                                      R"(, "columns": 4, )" + table(name, types * types) + ", " +
                                      blocks(name, types * types)) +
           ", ";
  }

 private:
  std::string each_type(const std::string& first) const {
    std::string all = first;
    for (int64_t t = 1; t < types; ++t) all += ", 0." + std::to_string(t);
    return all;
  }

  std::string net_stage(const std::string& gives, int64_t count) {
    const int64_t vector = one_net ? 3 : 0;
    std::string nets, flags, more;
    for (int64_t t = 0; t < types; ++t) {
      flags += (t > 0 ? ", " : "") + truth(chosen[t]);
      if (one_net ? t > 0 : !chosen[t]) continue;
      nets += (nets.empty() ? "" : ", ") +
              net("net" + std::to_string(t), width * axis + vector + fparam + aparam, count);
    }
    if (one_net) {
      more = ", " + constant("types", "types", random(types * vector, 1), {types, vector});
    }
    return stage("property_net", R"("takes": "atom", "gives": )" + quoted(gives) +
                                     R"(, "activation": "tanh", "chosen": [)" + flags +
                                     R"(], "nets": [)" + nets + "], " + precision() + ", " +
                                     standardised("fparam", fparam) + ", " +
                                     standardised("aparam", aparam) + more);
  }
};

// Energies beside charges, of which some atoms have a second one (DPLR).
class ChargedModel : public PropertyModel {
 public:
  ChargedModel() : PropertyModel("energy", 0) { chosen = {true, false}; }

 private:
  std::string terms() override {
    const std::string near = environment("rows", 4, "pairs", rcut) + sums("atom") +
                             moment_stage("atom") + fitting_stage("atom", width * axis);
    prefix = "charges/";
    std::string charge = "6", centre = "-8";
    for (int64_t t = 1; t < types; ++t) charge += ", 1", centre += ", null";
    const std::string charges =
        property_stages("dipole", 3) + ", " +
        stage("dipole_charge", R"("takes": "dipole", "beta": 0.5, "spacing": 1.1, )"
                               R"("charge": [)" +
                                   charge + R"(], "centre": [)" + centre + "]");
    prefix = "";
    return term(near, "energy") + ", " + term(charges, "dipole");
  }
};

// Nearest neighbours in local axes (loc_frame).
class LocalFramesModel : public ModelBytes {
 public:
  int64_t rank = 1;  // of the neighbour that the second axis leads to

 private:
  std::string stages() override {
    std::string rules, lacks, sel_a, sel_r;
    int64_t numbers = 0;
    for (int64_t t = 0; t < types; ++t) {
      const std::string comma = t > 0 ? ", " : "";
      rules += comma +
               R"([{"places": [0, 1, 2, 3, 4], "rank": 0}, {"places": [0, 1, 2, 3, 4], )"
               R"("rank": )" +
               std::to_string(rank) + "}]";
      const std::string of_type = " of type " + std::to_string(t);
      lacks += comma + "[" + quoted("no first axis" + of_type) + ", " +
               quoted("no second axis" + of_type) + ", " + quoted("no plane" + of_type) + "]";
      sel_a += comma + std::to_string(3 + t);
      sel_r += comma + std::to_string(2 * t);
      numbers += 4 * (3 + t) + 2 * t;
    }
    return stage("local_frames", R"("takes": "pairs", "gives": "atom", "rcut": 2.8, "sel_a": [)" +
                                     sel_a + R"(], "sel_r": [)" + sel_r + R"(], "rules": [)" +
                                     rules + R"(], "lacks": [)" + lacks + "], " +
                                     statistics("atom", static_cast<int>(numbers))) +
           ", " + fitting_stage("atom", numbers);
  }
};

// Tables with a table of pairs where atoms are near, and a wall as a term.
class BlendedModel : public TableModel {
 public:
  double least = 0.01;  // A; where the table begins

 private:
  std::string terms() override {
    return term(stages() + blend_stages(), "blended") + ", " + term(wall_stage(), "wall");
  }

  std::string blend_stages() {
    const int64_t pairs = types * (types + 1) / 2, number_of_nodes = 12;
    return ", " +
           stage("pair_table",
                 R"("takes": "pairs", "gives": "near_energy", "rcut": )" + number(rcut) + ", " +
                     constant("grid", "pairs/grid", std::vector<double>{least, 0.25}, {2}) + ", " +
                     constant("nodes", "pairs/nodes", random(pairs * number_of_nodes * 2, 1),
                              {pairs, number_of_nodes, 2})) +
           ", " +
           stage("soft_minimum", R"("takes": "pairs", "gives": "share", "alpha": 0.3, )"
                                 R"("rmin": 1.0, "rmax": 2.8)") +
           ", " +
           stage("blend", R"("takes": ["share", "near_energy", "energy"], "gives": "blended", )" +
                              constant("added", "pairs/added", random(types, 1), {types}));
  }

  std::string wall_stage() {
    std::vector<double> numbers(types);
    for (int64_t t = 0; t < types; ++t) numbers[t] = static_cast<double>(1 + 7 * t);
    return stage("zbl", R"("takes": "pairs", "gives": "wall", "rin": 1.2, "rout": 2.7, )" +
                            constant("atomic_number", "wall/number", numbers, {types}));
  }
};

}  // namespace deeptf_test
