// Text as UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace deeptf {

// Whether it is UTF-8 as Unicode defines it: no surrogates, no longer forms than needed.
bool is_utf8(std::string_view text);

// Appends a character; surrogates and numbers beyond Unicode become U+FFFD.
void append_utf8(uint32_t character, std::string* text);

}  // namespace deeptf
