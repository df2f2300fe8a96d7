#include "engine/file/graph.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/base/error.h"

namespace deeptf {
namespace {

constexpr size_t kMostDimensions = 32;
constexpr int64_t kMostLength = INT32_MAX;     // of a dimension
constexpr int64_t kMostFilled = 1 << 22;       // elements that one value stands for
constexpr uint32_t kShape = 7, kTensor = 8;    // fields of an AttrValue
constexpr uint32_t kString = 7, kStrings = 8;  // number of the type, field of its values

template <class T>
struct TypeOf;
template <>
struct TypeOf<float> {
  static constexpr uint32_t kNumber = 1, kValues = 5;
};
template <>
struct TypeOf<double> {
  static constexpr uint32_t kNumber = 2, kValues = 6;
};
template <>
struct TypeOf<int32_t> {
  static constexpr uint32_t kNumber = 3, kValues = 7;
};

// An AttrValue: the field that comes last counts; pieces of messages are merged.
struct Attribute {
  uint32_t kind = 0;
  WireMessage message;
};

bool is_kind(const WireField& field) {
  switch (field.number) {
    case 3:
    case 5:
    case 6:
      return field.type == WireType::varint;
    case 4:
      return field.type == WireType::fixed32;
    default:
      return field.number <= 10 && field.type == WireType::bytes;
  }
}

Attribute attribute_of(std::string_view file, const WireMessage& value) {
  Attribute found;
  for_each_field(file, value, [&](const WireField& field) {
    if (!is_kind(field)) return;
    if (field.number != found.kind) found.message.clear();
    found.kind = field.number;
    found.message.push_back(field.bytes);
  });
  return found;
}

// The attribute of a name; one without kind where there is none.
Attribute attribute(std::string_view file, const GraphNode& node, std::string_view name) {
  WireMessage value;
  for_each_field(file, {node.bytes}, [&](const WireField& field) {
    if (!field.is(5, WireType::bytes)) return;
    std::string_view key;
    WireMessage pieces;
    for_each_field(file, {field.bytes}, [&](const WireField& part) {
      if (part.is(1, WireType::bytes)) key = part.bytes;
      if (part.is(2, WireType::bytes)) pieces.push_back(part.bytes);
    });
    if (key == name) value = std::move(pieces);
  });
  return attribute_of(file, value);
}

// Returns whether the shape has a rank.
bool read_shape(std::string_view file, const WireMessage& message, TensorShape* shape) {
  bool has_rank = true;
  for_each_field(file, message, [&](const WireField& field) {
    if (field.is(3, WireType::varint)) has_rank = field.value == 0;
    if (!field.is(2, WireType::bytes)) return;
    uint64_t length = 0;
    for_each_field(file, {field.bytes}, [&](const WireField& part) {
      if (part.is(1, WireType::varint)) length = part.value;
    });
    shape->push_back(static_cast<int64_t>(length));
  });
  return has_rank;
}

template <class T>
void append_bytes(std::string_view bytes, std::vector<T>* numbers) {
  const size_t old = numbers->size(), more = bytes.size() / sizeof(T);
  numbers->resize(old + more);
  if (more > 0) std::memcpy(numbers->data() + old, bytes.data(), more * sizeof(T));
}

}  // namespace

bool NodeReader::next(GraphNode* node) {
  WireField field;
  do {
    if (!fields_.next(&field)) return false;
  } while (!field.is(1, WireType::bytes));
  *node = {{}, {}, field.bytes};
  for_each_field(file_, {node->bytes}, [&](const WireField& part) {
    if (part.is(1, WireType::bytes)) node->name = part.bytes;
    if (part.is(2, WireType::bytes)) node->op = part.bytes;
  });
  check_text(file_, node->name);
  check_text(file_, node->op);
  return true;
}

std::string shown(const TensorShape& shape, const char* unknown) {
  constexpr size_t kMostShown = 8;
  std::string text = "[";
  for (size_t k = 0; k < shape.size(); ++k) {
    if (k > 0) text += ", ";
    if (k == kMostShown) return text + "... " + std::to_string(shape.size()) + " lengths]";
    text += shape[k] == -1 ? unknown : std::to_string(shape[k]);
  }
  return text + "]";
}

Tensor::Tensor(std::string_view file, WireMessage message)
    : file_(file), message_(std::move(message)) {
  WireMessage shape;
  for_each_field(file_, message_, [&](const WireField& field) {
    if (field.is(1, WireType::varint)) type_ = field.value;
    if (field.is(2, WireType::bytes)) shape.push_back(field.bytes);
    if (field.is(4, WireType::bytes)) content_ = field.bytes;
  });
  has_rank_ = read_shape(file_, shape, &shape_);
}

std::string Tensor::type() const {
  switch (type_) {
    case TypeOf<float>::kNumber:
      return "float32";
    case TypeOf<double>::kNumber:
      return "float64";
    case TypeOf<int32_t>::kNumber:
      return "int32";
    case kString:
      return "string";
    default:
      return "type " + std::to_string(type_);
  }
}

template <class T>
std::vector<T> Tensor::numbers() const {
  const int64_t size = this->size();
  if (type_ != TypeOf<T>::kNumber) damaged("another type", type());
  std::vector<T> found = content_.empty() ? values<T>() : content<T>();
  const auto number = static_cast<int64_t>(found.size());
  if (number > size || size - number > (content_.empty() ? kMostFilled : 0)) {
    damaged(std::to_string(size) + " elements", std::to_string(number) + " of them");
  }
  found.resize(size, found.empty() ? T(0) : T(found.back()));
  return found;
}

template <class T>
std::vector<T> Tensor::content() const {
  const size_t rest = content_.size() % sizeof(T);
  if (rest != 0) {
    damaged("elements of " + std::to_string(sizeof(T)) + " bytes",
            std::to_string(rest) + " bytes more");
  }
  std::vector<T> found;
  append_bytes(content_, &found);
  return found;
}

template <class T>
std::vector<T> Tensor::values() const {
  constexpr auto kFixed = sizeof(T) == 4 ? WireType::fixed32 : WireType::fixed64;
  std::vector<T> found;
  for_each_field(file_, message_, [&](const WireField& field) {
    if (field.number != TypeOf<T>::kValues) return;
    if constexpr (std::is_floating_point_v<T>) {
      if (field.type != WireType::bytes && field.type != kFixed) return;
      if (field.bytes.size() % sizeof(T) != 0) {
        damaged("numbers of " + std::to_string(sizeof(T)) + " bytes",
                std::to_string(field.bytes.size()) + " bytes");
      }
      append_bytes(field.bytes, &found);
    } else if (field.type == WireType::varint) {
      found.push_back(static_cast<T>(field.value));
    } else if (field.type == WireType::bytes) {
      WireReader packed(file_, field.bytes);
      uint64_t value = 0;
      while (packed.next_varint(&value)) found.push_back(static_cast<T>(value));
    }
  });
  return found;
}

std::string_view Tensor::text() const {
  std::string_view found;
  int64_t number = 0;
  for_each_field(file_, message_, [&](const WireField& field) {
    if (!field.is(kStrings, WireType::bytes)) return;
    found = field.bytes;
    ++number;
  });
  if (type_ != kString) damaged("the type string", type());
  if (size() != 1 || number != 1 || !content_.empty()) {
    damaged("one text", std::to_string(number) + " of them");
  }
  return found;
}

int64_t Tensor::size() const {
  const bool sensible = has_rank_ && shape_.size() <= kMostDimensions &&
                        std::all_of(shape_.begin(), shape_.end(), [](int64_t length) {
                          return 0 <= length && length <= kMostLength;
                        });
  if (!sensible) damaged("a sensible shape", has_rank_ ? shown(shape_) : "none");
  if (std::find(shape_.begin(), shape_.end(), 0) != shape_.end()) return 0;
  int64_t size = 1;
  for (const int64_t length : shape_) {
    if (size > INT64_MAX / length) damaged("a sensible shape", shown(shape_));
    size *= length;
  }
  return size;
}

void Tensor::damaged(const std::string& wanted, const std::string& got) const {
  const size_t place = static_cast<size_t>(message_.back().data() - file_.data());
  throw Error("a tensor must have " + wanted + ", got " + got + ", at byte " +
              std::to_string(place) + " of the file");
}

std::optional<Tensor> tensor_of(std::string_view file, const GraphNode& node) {
  Attribute found = attribute(file, node, "value");
  if (found.kind != kTensor) return std::nullopt;
  return Tensor(file, std::move(found.message));
}

TensorShape shape_attribute(std::string_view file, const GraphNode& node) {
  TensorShape shape;
  const Attribute found = attribute(file, node, "shape");
  if (found.kind != kShape || !read_shape(file, found.message, &shape)) shape.clear();
  return shape;
}

template std::vector<float> Tensor::numbers() const;
template std::vector<double> Tensor::numbers() const;
template std::vector<int32_t> Tensor::numbers() const;

}  // namespace deeptf
