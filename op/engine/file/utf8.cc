#include "engine/file/utf8.h"

namespace deeptf {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

bool is_character(uint32_t number) {
  return number < 0xD800 || (number >= 0xE000 && number < 0x110000);
}

}  // namespace

bool is_utf8(std::string_view text) {
  static constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};  // by the bytes that follow
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at++]);
    if (first < 0x80) continue;
    const size_t more = first >= 0xF8   ? 0
                        : first >= 0xF0 ? 3
                        : first >= 0xE0 ? 2
                        : first >= 0xC0 ? 1
                                        : 0;
    if (more == 0 || text.size() - at < more) return false;
    uint32_t character = first & (0x3Fu >> more);
    for (size_t k = 0; k < more; ++k) {
      const auto byte = static_cast<unsigned char>(text[at++]);
      if ((byte & 0xC0) != 0x80) return false;
      character = character << 6 | (byte & 0x3F);
    }
    if (character < kLeast[more] || !is_character(character)) return false;
  }
  return true;
}

void append_utf8(uint32_t character, std::string* text) {
  if (!is_character(character)) character = kReplacement;
  const auto append = [text](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  const auto follow = [&](int shift) { append(0x80 | (character >> shift & 0x3F)); };
  if (character < 0x80) {
    append(character);
  } else if (character < 0x800) {
    append(0xC0 | character >> 6);
    follow(0);
  } else if (character < 0x10000) {
    append(0xE0 | character >> 12);
    follow(6);
    follow(0);
  } else {
    append(0xF0 | character >> 18);
    follow(12);
    follow(6);
    follow(0);
  }
}

}  // namespace deeptf
