#include <limits>
#include <utility>

#include "core/base/error.h"
#include "engine/run/model.h"

namespace deeptf {
namespace {

constexpr int64_t kMostTypes = 1000, kMostNumbers = 1 << 20;

int64_t integer(const Json& metadata, const char* name, int64_t least, int64_t most) {
  const int64_t value = metadata.at(name).integer();
  if (value < least || value > most) {
    throw Error("`" + std::string(name) + "` must be from " + std::to_string(least) + " to " +
                std::to_string(most) + ", got " + std::to_string(value));
  }
  return value;
}

// What the model gives, and how many numbers of it an atom has.
void read_property(const Json& metadata, Inputs* inputs) {
  const auto gives = [&](const char* name) {
    for (const Json& output : metadata.at("outputs").items()) {
      if (output.text() == name) return true;
    }
    return false;
  };
  if (gives("energy")) return;
  for (const auto& [name, width] : {std::pair{"dipole", 3}, {"polar", 9}, {"dos", 0}}) {
    if (!gives(name)) continue;
    inputs->property = name;
    inputs->width = width;
    if (width > 0) return;
    inputs->width = integer(metadata.at("given").at(name), "width", 1, kMostNumbers);
    return;
  }
}

// What the model says of its types with spins, which are the first of its real ones.
SpinTypes read_spins(const Json& spin, int64_t types) {
  const auto lengths = [&](const char* name) {
    std::vector<double> found;
    for (const Json& one : spin.at(name).items()) {
      found.push_back(one.number());
      if (!(found.back() > 0 && found.back() < 1e9)) {
        throw Error("`" + std::string(name) + "` of spins must be positive and below 1e9");
      }
    }
    if (found.empty() || 2 * static_cast<int64_t>(found.size()) > types) {
      throw Error("`" + std::string(name) + "` must be one for each type with spins, got " +
                  std::to_string(found.size()) + " of " + std::to_string(types) + " types");
    }
    return found;
  };
  const SpinTypes found{lengths("virtual_len"), lengths("spin_norm")};
  if (found.virtual_len.size() == found.spin_norm.size()) return found;
  throw Error("`spin_norm` must be as many as `virtual_len`, got " +
              std::to_string(found.spin_norm.size()));
}

std::vector<double> data_end(const Json& metadata, size_t types) {
  std::vector<double> ends(types * types, std::numeric_limits<double>::quiet_NaN());
  const Json* range = metadata.given("table_range");
  if (range == nullptr) return ends;
  const std::vector<Json>& rows = range->at("data").items();
  if (rows.size() != types) throw Error("`table_range` must have a row for each type");
  for (size_t c = 0; c < types; ++c) {
    const std::vector<Json>& row = rows[c].items();
    if (row.size() != types) throw Error("`table_range` must have a number for each type");
    for (size_t t = 0; t < types; ++t) {
      if (!row[t].is_null()) ends[c * types + t] = row[t].number();
    }
  }
  return ends;
}

}  // namespace

Description::Description(const ModelFile& file) : metadata(file.metadata_text()) {
  const Json& from = file.metadata();
  for (const Json& name : from.at("type_map").items()) type_map.push_back(name.text());
  const auto types = static_cast<int64_t>(type_map.size());
  if (types < 1 || types > kMostTypes) {
    throw Error("`type_map` must have from 1 to " + std::to_string(kMostTypes) + " names, got " +
                std::to_string(types));
  }
  rcut = from.at("rcut").number();
  if (!(rcut > 0 && rcut < 1e9)) throw Error("`rcut` must be positive and below 1e9 A");
  hops = static_cast<int32_t>(integer(from, "hops", 0, 1000));
  inputs = {types, integer(from, "numb_fparam", 0, kMostNumbers),
            integer(from, "numb_aparam", 0, kMostNumbers)};
  read_property(from, &inputs);
  if (const Json* spin = from.given("spin")) spins = read_spins(*spin, types);
  inputs.num_virtual_types = spins.count();
  const Json* mask = from.find("masked");
  masked = mask != nullptr && mask->boolean();
  if (masked && inputs.num_aparam != 1) {
    throw Error("`numb_aparam` must be 1 where it says which atoms are there, got " +
                std::to_string(inputs.num_aparam));
  }
  pair_bytes = integer(from, "pair_bytes", 0, int64_t{1} << 40);
  atom_bytes = integer(from, "atom_bytes", 0, int64_t{1} << 40);
  data_end = deeptf::data_end(from, type_map.size());
}

}  // namespace deeptf
