#include "engine/file/metadata.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "engine/file/graph.h"

namespace deeptf {
namespace {

using Kind = Json::Kind;

constexpr const char* kParameters[] = {"fparam", "aparam"};  // placeholders
constexpr const char* kOutside = "outside_count";  // a graph with it counts pairs below its data

bool is_number(const Json& value, double least) {
  return value.kind() == Kind::number && std::isfinite(value.number()) && value.number() >= least;
}

bool is_integer(const Json& value, double least) {
  return is_number(value, least) && value.number() == std::floor(value.number());
}

bool is_object(const Json& value) { return value.kind() == Kind::object; }

bool are_names(const Json& value) {
  const auto is_name = [](const Json& item) { return item.kind() == Kind::string; };
  return value.kind() == Kind::array &&
         std::all_of(value.items().begin(), value.items().end(), is_name);
}

bool are_some_names(const Json& value) { return are_names(value) && !value.items().empty(); }

// Whether it has `size` rows of as many distances, or null.
bool is_square(const Json& value, size_t size) {
  const auto has_size = [size](const Json& list) {
    return list.kind() == Kind::array && list.items().size() == size;
  };
  const auto is_distance = [](const Json& cell) { return cell.is_null() || is_number(cell, 0); };
  const auto is_row = [&](const Json& row) {
    return has_size(row) && std::all_of(row.items().begin(), row.items().end(), is_distance);
  };
  return has_size(value) && std::all_of(value.items().begin(), value.items().end(), is_row);
}

[[noreturn]] void refuse(const std::string& key, const std::string& wanted, const Json* value) {
  throw Error("`" + key + "` must be " + wanted + ", got " +
              (value == nullptr ? "none" : value->shown()));
}

struct Wanted {
  const char* key;
  bool (*holds)(const Json& value);
  const char* what;
};

bool is_count(const Json& value) { return is_integer(value, 0); }
bool is_at_least_1(const Json& value) { return is_integer(value, 1); }
bool is_distance(const Json& value) { return is_number(value, 0); }

constexpr Wanted kWanted[] = {
    {"type_map", are_some_names, "a list of names"},
    {"outputs", are_some_names, "a list of names"},
    {"doors", are_some_names, "a list of names"},
    {"arrays", are_names, "a list of names"},
    {"rcut", is_distance, "a number of A"},
    {"hops", is_at_least_1, "an integer from 1"},
    {"numb_fparam", is_count, "an integer from 0"},
    {"numb_aparam", is_count, "an integer from 0"},
    {"pair_bytes", is_at_least_1, "an integer from 1"},
    {"atom_bytes", is_at_least_1, "an integer from 1"},
    {"model", is_object, "an object"},
};

// The nodes of the graph that have one of some names; of several with a name the last one.
class Nodes {
 public:
  void look_for(const std::string& name) { found_.emplace(name, GraphNode{}); }

  void look_in(std::string_view content) {
    NodeReader reader(content);
    GraphNode node;
    while (reader.next(&node)) {
      const auto place = found_.find(node.name);
      if (place != found_.end()) place->second = node;
    }
  }

  // Null where the graph has none.
  const GraphNode* find(const std::string& name) const {
    const GraphNode& node = found_.at(name);
    return node.bytes.data() == nullptr ? nullptr : &node;
  }

 private:
  std::map<std::string, GraphNode, std::less<>> found_;
};

}  // namespace

void check_metadata(const Json& metadata, std::string_view content) {
  for (const Wanted& wanted : kWanted) {
    const Json* value = metadata.find(wanted.key);
    if (value == nullptr || !wanted.holds(*value)) refuse(wanted.key, wanted.what, value);
  }
  const std::vector<Json>& outputs = metadata.at("outputs").items();
  Nodes nodes;
  for (const Json& output : outputs) nodes.look_for(output.text());
  for (const char* name : kParameters) nodes.look_for(name);
  nodes.look_for(kOutside);
  nodes.look_in(content);
  for (const Json& output : outputs) {
    if (nodes.find(output.text()) == nullptr) {
      refuse("outputs", "names of nodes of the graph", &output);
    }
  }
  for (const char* name : kParameters) {
    const GraphNode* node = nodes.find(name);
    const TensorShape shape = node == nullptr ? TensorShape{} : shape_attribute(content, *node);
    const int64_t width = shape.empty() ? 0 : shape.back();
    const std::string key = std::string("numb_") + name;
    const Json& given = metadata.at(key);
    if (given.number() != static_cast<double>(width)) {
      refuse(key, std::to_string(width) + ", what the graph takes", &given);
    }
  }
  const Json* ranges = metadata.find("table_range");
  const Json* data = ranges != nullptr && is_object(*ranges) ? ranges->find("data") : nullptr;
  const size_t num_types = metadata.at("type_map").items().size();
  if (nodes.find(kOutside) != nullptr && (data == nullptr || !is_square(*data, num_types))) {
    const std::string count = std::to_string(num_types);
    refuse("table_range", "distances of " + count + " times " + count + " types", ranges);
  }
}

}  // namespace deeptf
