// The wire format of protobuf: what a message holds, whatever it means.
//
// A message is a list of pieces of the file: one that comes several times is merged by reading its
// pieces one after the other. Groups are skipped, but must be well-formed. Whatever is not throws
// Error with the byte of the file. Time and memory go with the size of the file, whatever the
// numbers in it say. Numbers of fixed size are taken as they are: for little-endian processors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace deeptf {

enum class WireType : uint32_t { varint, fixed64, bytes, group, end_group, fixed32 };

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::varint;
  uint64_t value = 0;      // of a varint
  std::string_view bytes;  // of the other ones

  bool is(uint32_t number_, WireType type_) const { return number == number_ && type == type_; }
};

// Pieces of one message, merged.
using WireMessage = std::vector<std::string_view>;

// Reads the fields of a piece of a message in order.
class WireReader {
 public:
  // message: a part of the memory of `file`.
  WireReader(std::string_view file, std::string_view message) : file_(file), rest_(message) {}

  // The next field that is in no group; false at the end.
  bool next(WireField* field);
  // Numbers without keys: what is in a packed field.
  bool next_varint(uint64_t* value);

 private:
  size_t place() const { return static_cast<size_t>(rest_.data() - file_.data()); }
  WireField key();
  uint64_t varint();
  std::string_view take(uint64_t length);

  std::string_view file_, rest_;
};

// Calls use(field) for each field of a message.
template <class Use>
void for_each_field(std::string_view file, const WireMessage& message, const Use& use) {
  for (const std::string_view piece : message) {
    WireReader reader(file, piece);
    WireField field;
    while (reader.next(&field)) use(field);
  }
}

// Throws Error unless `text`, a part of the file, is UTF-8.
void check_text(std::string_view file, std::string_view text);

}  // namespace deeptf
