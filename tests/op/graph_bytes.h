// Graphs for the reader of model files, byte by byte.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace deeptf_test {

using Shape = std::vector<int64_t>;

inline constexpr int kFloat = 1, kDouble = 2, kInt32 = 3, kString = 7, kInt64 = 9;  // types
inline constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

inline std::string varint(uint64_t value) {
  std::string bytes;
  for (; value > 0x7F; value >>= 7) bytes.push_back(static_cast<char>(0x80 | (value & 0x7F)));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

inline std::string key(int number, int type) { return varint(number << 3 | type); }

inline std::string field(int number, uint64_t value) { return key(number, 0) + varint(value); }
inline std::string field(int number, const std::string& bytes) {
  return key(number, 2) + varint(bytes.size()) + bytes;
}

template <class T>
std::string bytes_of(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

// A number of fixed size, which is not packed.
template <class T>
std::string fixed(int number, T value) {
  return key(number, sizeof(T) == 4 ? 5 : 1) + bytes_of<T>({value});
}

// A node with the attribute `value`, or another one.
inline std::string node(const std::string& name, const std::string& attribute,
                        const std::string& named = "value", const std::string& op = "Const") {
  const std::string entry = field(1, named) + field(2, attribute);
  return field(1, field(1, name) + field(2, op) + field(5, entry));
}

inline std::string shape_of(const Shape& lengths) {
  std::string shape;
  for (const int64_t length : lengths) {
    shape += field(2, field(1, static_cast<uint64_t>(length)));
  }
  return shape;
}

// rest: the other fields of the tensor.
inline std::string tensor(int type, const std::string& rest, const Shape& shape = {}) {
  return field(8, field(1, type) + field(2, shape_of(shape)) + rest);
}

inline std::string constant(int type, const std::string& rest, const Shape& shape = {}) {
  return node("here", tensor(type, rest, shape));
}

inline std::string described(const std::string& json) {
  return node("deeptf_model", tensor(kString, field(8, json)));
}

// A description with a member more, or another one.
inline std::string description(const std::string& more = "") {
  return R"({"format": 2, "deeptf_version": "0.1.0", "type_map": ["A"], "outputs": ["energy"],
    "doors": ["pairs"], "arrays": [], "rcut": 4, "hops": 1, "numb_fparam": 0, "numb_aparam": 0,
    "pair_bytes": 8, "atom_bytes": 8, "table_range": null, "model": {})" +
         (more.empty() ? "" : ", " + more) + "}";
}

// A model with a few nodes more.
inline std::string model(const std::string& nodes = "", const std::string& more = "") {
  return node("energy", "", "T", "Identity") + nodes + described(description(more));
}

}  // namespace deeptf_test
