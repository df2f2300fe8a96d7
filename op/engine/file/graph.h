// Nodes of a graph and their constants, read without TensorFlow:
//
//     GraphDef          1 node
//     NodeDef           1 name   2 op   3 input   5 attr: 1 key, 2 AttrValue
//     AttrValue         one of 1 list   2 s   3 i   4 f   5 b   6 type   7 shape   8 tensor
//     TensorShapeProto  2 dim: 1 size   3 unknown_rank
//     TensorProto       1 dtype   2 tensor_shape   4 tensor_content   5 to 17 values, by type
//
// Of a scalar the last value counts, messages that come several times are merged, and repeated
// numbers may be packed or not. Everything else is skipped. `file` is always the whole content, for
// the bytes in messages; all views are into it. Damage throws Error, and only a constant may take
// more memory than the file has bytes (kMostFilled).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/file/wire.h"

namespace deeptf {

struct GraphNode {
  std::string_view name, op;
  std::string_view bytes;  // the whole node
};

// Reads the nodes of a graph in order.
class NodeReader {
 public:
  explicit NodeReader(std::string_view file) : file_(file), fields_(file, file) {}

  bool next(GraphNode* node);  // false at the end

 private:
  std::string_view file_;
  WireReader fields_;
};

using TensorShape = std::vector<int64_t>;  // -1: unknown

// "[2, 3]"; unknown: what stands for -1.
std::string shown(const TensorShape& shape, const char* unknown = "-1");

// A tensor whose numbers have not been looked at yet.
class Tensor {
 public:
  Tensor(std::string_view file, WireMessage message);

  const TensorShape& shape() const { return shape_; }
  // "float32", "float64", "int32", "string", or "type 9" of another one
  std::string type() const;

  // The numbers of a tensor of this type, float, double or int32_t. The last value stands for those
  // that are not there, and zero where there is none.
  template <class T>
  std::vector<T> numbers() const;
  // The bytes of a tensor of one string.
  std::string_view text() const;

 private:
  int64_t size() const;
  template <class T>
  std::vector<T> content() const;
  template <class T>
  std::vector<T> values() const;
  [[noreturn]] void damaged(const std::string& wanted, const std::string& got) const;

  std::string_view file_;
  WireMessage message_;
  uint64_t type_ = 0;
  bool has_rank_ = true;
  TensorShape shape_;
  std::string_view content_;
};

// The tensor that a node has as attribute `value`, as constants do; none where it has another one.
std::optional<Tensor> tensor_of(std::string_view file, const GraphNode& node);

// The attribute `shape` of a node, as placeholders have; empty without one or without a rank.
TensorShape shape_attribute(std::string_view file, const GraphNode& node);

}  // namespace deeptf
