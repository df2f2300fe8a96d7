#include "engine/file/wire.h"

#include <algorithm>

#include "core/base/error.h"
#include "engine/file/utf8.h"

namespace deeptf {
namespace {

constexpr size_t kMostGroups = 100;  // in each other
constexpr size_t kMostBytes = 10;    // of a varint

[[noreturn]] void damaged(const std::string& wanted, const std::string& got, size_t place) {
  throw Error("a graph must have " + wanted + " at byte " + std::to_string(place) +
              " of the file, got " + got);
}

}  // namespace

bool WireReader::next(WireField* field) {
  std::vector<uint32_t> groups;
  while (!rest_.empty()) {
    const size_t start = place();
    *field = key();
    const auto refuse = [&] {
      damaged("a field",
              "the wire type " + std::to_string(static_cast<uint32_t>(field->type)) + " of field " +
                  std::to_string(field->number),
              start);
    };
    switch (field->type) {
      case WireType::varint:
        field->value = varint();
        break;
      case WireType::fixed64:
        field->bytes = take(8);
        break;
      case WireType::bytes:
        field->bytes = take(varint());
        break;
      case WireType::fixed32:
        field->bytes = take(4);
        break;
      case WireType::group:
        if (groups.size() == kMostGroups) refuse();
        groups.push_back(field->number);
        continue;
      case WireType::end_group:
        if (groups.empty() || groups.back() != field->number) refuse();
        groups.pop_back();
        continue;
      default:
        refuse();
    }
    if (groups.empty()) return true;
  }
  if (groups.empty()) return false;
  damaged("the end of group " + std::to_string(groups.back()), "none", place());
}

bool WireReader::next_varint(uint64_t* value) {
  if (rest_.empty()) return false;
  *value = varint();
  return true;
}

WireField WireReader::key() {
  const size_t start = place();
  const uint64_t key = varint(), number = key >> 3;
  if (number == 0 || number >= 1u << 29) {
    damaged("a field", "the number " + std::to_string(number), start);
  }
  WireField field;
  field.number = static_cast<uint32_t>(number);
  field.type = static_cast<WireType>(key & 7);
  return field;
}

uint64_t WireReader::varint() {
  uint64_t value = 0;
  for (size_t k = 0; k < std::min(rest_.size(), kMostBytes); ++k) {
    const auto byte = static_cast<unsigned char>(rest_[k]);
    if (k + 1 == kMostBytes && byte > 1 && byte < 0x80) {
      damaged("a number of at most 64 bits", "a larger one", place());
    }
    value |= static_cast<uint64_t>(byte & 0x7F) << 7 * k;
    if (byte < 0x80) {
      rest_.remove_prefix(k + 1);
      return value;
    }
  }
  damaged("a whole number of at most 10 bytes", "one without an end", place());
}

std::string_view WireReader::take(uint64_t length) {
  if (length > rest_.size()) {
    damaged(std::to_string(length) + " bytes", "only " + std::to_string(rest_.size()), place());
  }
  const std::string_view bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return bytes;
}

void check_text(std::string_view file, std::string_view text) {
  if (is_utf8(text)) return;
  damaged("UTF-8 text", "other bytes", static_cast<size_t>(text.data() - file.data()));
}

}  // namespace deeptf
