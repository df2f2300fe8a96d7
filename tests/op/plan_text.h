// Models with damaged or other descriptions, loaded through the C interface, and plans as text.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "check.h"
#include "damaged_file.h"
#include "engine/api_table.h"
#include "graph_bytes.h"

namespace deeptf_test {

inline const deeptf::Api& api() { return *deeptf_engine_api(); }

using Model = std::unique_ptr<deeptf_model, decltype(api().deeptf_free)>;

inline Model load(const std::vector<char>& content) {
  deeptf_model* model = nullptr;
  api().deeptf_load_content("damaged.pb", content.data(), content.size(), nullptr, &model);
  return {model, api().deeptf_free};
}

// Whether the energies of a few atoms come out, or a message.
inline bool evaluate(const deeptf_model* model) {
  const double coord[] = {0, 0, 0, 1.5, 0, 0.2, 0, 2, 0.3, 1, 1, 2.5};
  const double cell[] = {5, 0, 0, 0, 6, 0, 0, 0, 7};
  const int32_t type[] = {0, 0, 0, 0};
  double energy, force[12], virial[9], atom_energy[4], atom_virial[36];
  deeptf_frames frames{};
  frames.size = sizeof frames;
  frames.num_frames = 1;
  frames.num_atoms = 4;
  frames.coord = coord;
  frames.cell = cell;
  frames.type = type;
  deeptf_results results{};
  results.size = sizeof results;
  results.energy = &energy;
  results.force = force;
  results.virial = virial;
  results.atom_energy = atom_energy;
  results.atom_virial = atom_virial;
  deeptf_options options{};
  options.size = sizeof options;
  options.threads = 1;
  return api().deeptf_evaluate(model, &frames, &options, &results) == 0;
}

struct Outcomes {
  int evaluated = 0, refused = 0;

  void count(const std::vector<char>& content) {
    const Model model = load(content);
    if (model != nullptr && evaluate(model.get())) {
      ++evaluated;
      return;
    }
    ++refused;
    const std::string message = api().deeptf_last_error();
    CHECK(model != nullptr || message.find("damaged.pb") != std::string::npos);
    CHECK(message.find(" must ") != std::string::npos);
  }
};

inline std::vector<char> described_by(const std::string& json, const std::string& whole) {
  const std::string content = described(json) + whole;  // the first description counts
  return {content.begin(), content.end()};
}

// Loads and evaluates a model so often, each time with one number or name between a place of its
// description and the names of its arrays exchanged.
inline Outcomes exchanged(const std::string& json, size_t from, const std::string& whole,
                          int rounds) {
  struct Token {
    size_t at, length;
  };
  std::vector<Token> tokens;
  const size_t arrays = json.find("\"arrays\""), end = from < arrays ? arrays : json.size();
  for (size_t at = from, next; at < end; at = next) {
    const bool is_text = json[at] == '"', is_number = json.find_first_of("-0123456789", at) == at;
    next = is_text     ? json.find('"', at + 1) + 1
           : is_number ? json.find_first_not_of("+-.e0123456789", at)
                       : at + 1;
    if ((is_text && json[next] != ':') || is_number) tokens.push_back({at, next - at});
  }
  const std::string odd[] = {
      "0",   "-1",  "1",  "2",    "7",    "100",  "65536", "2147483647",
      "0.5", "NaN", "[]", "null", "true", "1e99", "\"\"",  "9007199254740992"};
  std::mt19937 engine(0);
  Outcomes outcomes;
  for (int k = 0; k < rounds; ++k) {
    const Token token = tokens[engine() % tokens.size()], other = tokens[engine() % tokens.size()];
    std::string by = json.substr(other.at, other.length);
    if (engine() % 2 == 0) by = odd[engine() % (sizeof odd / sizeof *odd)];
    outcomes.count(described_by(std::string(json).replace(token.at, token.length, by), whole));
  }
  return outcomes;
}

// The description of the golden model with another plan: of members of the same name the last one
// counts.
inline std::string json_with_plan(const std::string& stages) {
  std::string json = deeptf::ModelFile("whole.pb", golden()).metadata_text();
  json.pop_back();
  return json + R"(, "plan": [{"stages": [)" + stages +
         R"(], "values": {"atom_energy": "energy"}}]})";
}

inline std::vector<char> with_plan(const std::string& stages, const std::string& constants = "") {
  return described_by(json_with_plan(stages), constants + golden());
}

// Where nothing follows the comma behind a stage.
inline std::string without_comma(const std::string& stages) {
  return stages.substr(0, stages.find_last_of('}') + 1);
}

inline bool is_refused(const std::vector<char>& content, const std::string& part) {
  if (load(content) != nullptr) return false;
  const std::string message = api().deeptf_last_error();
  if (message.find(part) == std::string::npos) std::printf("got: %s\n", message.c_str());
  return message.find(part) != std::string::npos;
}

inline std::string doubles(const std::string& name, const Shape& shape, double value = 0.5) {
  return node(name, tensor(kDouble, fixed(6, value), shape));
}

inline std::string integers(const std::string& name, const std::string& values,
                            const Shape& shape) {
  return node(name, tensor(kInt32, field(7, values), shape));
}

inline std::string environment(const std::string& rcut = "4") {
  return R"({"kernel": "environment", "gives": "rows", "columns": 4, "rcut_smth": 1, "rcut": )" +
         rcut + R"(, "mean": "descriptor/mean", "stddev": "descriptor/stddev"})";
}

inline std::string layer(const std::string& name) {
  return R"({"matrix": ")" + name + R"(/matrix", "bias": ")" + name + R"(/bias", "idt": null})";
}

inline std::string net(const std::string& name) {
  return "[" + layer(name + "/0") + ", " + layer(name + "/1") + "]";
}

// The stages behind sums [4, 8] that end in energies.
inline std::string energies(const std::string& descriptor = "") {
  const std::string product =
      R"({"kernel": "moment_product", "takes": "sums", "gives": "descriptor",
      "axis": 3, "places": 40}, )";
  const auto net = [](const std::string& name) {
    const std::string idt = R"({"matrix": "fitting/NAME/1/matrix", "bias": "fitting/NAME/1/bias",
        "idt": "fitting/NAME/1/idt"})";
    const std::string part = "fitting/" + name;
    std::string second = idt;
    for (size_t at; (at = second.find("NAME")) != std::string::npos;) second.replace(at, 4, name);
    return "[" + layer(part + "/0") + ", " + second + ", " + layer(part + "/last") + "]";
  };
  return (descriptor.empty() ? product : descriptor) +
         R"({"kernel": "fitting_net", "takes": "descriptor", "gives": "energy",
      "activation": "tanh", "constant": "fitting/constant", "nets": [)" +
         net("type_0") + ", " + net("type_1") + "]}";
}

}  // namespace deeptf_test
