#include "engine/file/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <locale>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "engine/file/utf8.h"

namespace deeptf {
namespace {

constexpr int kMostNested = 200;
constexpr size_t kMostShown = 40;           // bytes of a name or text in a message
constexpr double kMostInteger = 1LL << 53;  // up to where float64 tells integers apart
constexpr std::string_view kSpace = " \t\n\r";
constexpr std::string_view kDigits = "0123456789";

// Whole characters at the start of a text.
std::string cut(std::string_view text, size_t most = kMostShown) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (text[most] & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most)) + "...";
}

std::string quoted(std::string_view text) { return "`" + cut(text) + "`"; }

// A number by its text, whatever the locale of the process; infinite where it is too large.
double number_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  double value = 0;
  if (!(stream >> value) && std::fabs(value) >= 1) {
    value = std::copysign(std::numeric_limits<double>::infinity(), value);
  }
  return value;
}

}  // namespace

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}

  Json whole() {
    if (!is_utf8(text_)) throw Error("JSON must be UTF-8 text, got other bytes");
    Json value = this->value("", 0);
    skip_space();
    if (at_ < text_.size()) refuse("its end");
    return value;
  }

 private:
  Json value(std::string name, int depth) {
    if (depth > kMostNested) refuse("at most " + std::to_string(kMostNested) + " levels");
    skip_space();
    Json json;
    json.name_ = std::move(name);
    if (taken('{')) {
      object(&json, depth);
    } else if (taken('[')) {
      array(&json, depth);
    } else if (taken('"')) {
      json.kind_ = Json::Kind::string;
      json.text_ = string();
    } else if (taken("true") || taken("false")) {
      json.kind_ = Json::Kind::boolean;
      json.boolean_ = text_[at_ - 2] == 'u';
    } else if (!taken("null")) {
      json.kind_ = Json::Kind::number;
      json.number_ = number();
    }
    return json;
  }

  void object(Json* json, int depth) {
    json->kind_ = Json::Kind::object;
    skip_space();
    if (taken('}')) return;
    do {
      skip_space();
      need('"', "a name in quotation marks");
      std::string name = string();
      skip_space();
      need(':', "a colon");
      Json member = value(cut(name), depth + 1);
      json->members_.insert_or_assign(std::move(name), std::move(member));
      skip_space();
    } while (taken(','));
    need('}', "a comma or }");
  }

  void array(Json* json, int depth) {
    json->kind_ = Json::Kind::array;
    skip_space();
    if (taken(']')) return;
    const std::string name = cut(json->name_);
    do {
      json->items_.push_back(
          value(name + "[" + std::to_string(json->items_.size()) + "]", depth + 1));
      skip_space();
    } while (taken(','));
    need(']', "a comma or ]");
  }

  // What is behind the first quotation mark.
  std::string string() {
    std::string found;
    for (;;) {
      if (at_ == text_.size()) refuse("the end of a text");
      const char next = text_[at_];
      if (static_cast<unsigned char>(next) < ' ') refuse("no control character in a text");
      ++at_;
      if (next == '"') return found;
      if (next == '\\') {
        escape(&found);
      } else {
        found.push_back(next);
      }
    }
  }

  // What is behind a backslash.
  void escape(std::string* found) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    if (taken('u')) {
      append_utf8(character(), found);
      return;
    }
    const size_t which = at_ < text_.size() ? kLetters.find(text_[at_]) : std::string_view::npos;
    if (which == std::string_view::npos) refuse("an escape sequence");
    ++at_;
    found->push_back(kMeant[which]);
  }

  // What is behind \u, with a second half where that follows the first one.
  uint32_t character() {
    const uint32_t first = hexadecimal();
    if (first < 0xD800 || first >= 0xDC00) return first;
    const size_t before = at_;
    if (taken("\\u")) {
      const uint32_t second = hexadecimal();
      if (second >= 0xDC00 && second < 0xE000) {
        return 0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00));
      }
      at_ = before;
    }
    return first;
  }

  uint32_t hexadecimal() {
    static constexpr std::string_view kHexadecimal = "0123456789abcdef0123456789ABCDEF";
    uint32_t found = 0;
    for (int k = 0; k < 4; ++k) {
      const size_t digit =
          at_ < text_.size() ? kHexadecimal.find(text_[at_]) : std::string_view::npos;
      if (digit == std::string_view::npos) refuse("four hexadecimal digits");
      found = found << 4 | (digit & 0xF);
      ++at_;
    }
    return found;
  }

  double number() {
    if (taken("NaN")) return std::numeric_limits<double>::quiet_NaN();
    const size_t begin = at_;
    const bool negative = taken('-');
    if (taken("Infinity")) return (negative ? -1 : 1) * std::numeric_limits<double>::infinity();
    if (!taken('0')) digits("a value");
    if (taken('.')) digits("digits behind the point");
    if (taken('e') || taken('E')) {
      if (!taken('-')) taken('+');
      digits("digits of an exponent");
    }
    return number_of(text_.substr(begin, at_ - begin));
  }

  void digits(const char* wanted) {
    const size_t begin = at_;
    skip(kDigits);
    if (at_ == begin) refuse(wanted);
  }

  void skip_space() { skip(kSpace); }
  void skip(std::string_view characters) {
    at_ = std::min(text_.find_first_not_of(characters, at_), text_.size());
  }

  bool taken(char character) { return taken(std::string_view(&character, 1)); }
  bool taken(std::string_view word) {
    const bool there = text_.compare(at_, word.size(), word) == 0;
    if (there) at_ += word.size();
    return there;
  }
  void need(char character, const char* wanted) {
    if (!taken(character)) refuse(wanted);
  }

  [[noreturn]] void refuse(const std::string& wanted) const {
    const std::string found =
        at_ < text_.size() ? "`" + cut(text_.substr(at_), 10) + "`" : "the end";
    throw Error("JSON must have " + wanted + " at byte " + std::to_string(at_) + ", got " + found);
  }

  std::string_view text_;
  size_t at_ = 0;
};

Json Json::parse(std::string_view text) { return JsonParser(text).whole(); }

bool Json::boolean() const {
  must_be(Kind::boolean, "true or false");
  return boolean_;
}

double Json::number() const {
  must_be(Kind::number, "a number");
  return number_;
}

int64_t Json::integer() const {
  must_be(Kind::number, "an integer");
  if (!(std::fabs(number_) <= kMostInteger) || number_ != std::floor(number_)) {
    refuse("an integer");
  }
  return static_cast<int64_t>(number_);
}

const std::string& Json::text() const {
  must_be(Kind::string, "a text");
  return text_;
}

const std::vector<Json>& Json::items() const {
  must_be(Kind::array, "a list");
  return items_;
}

const std::map<std::string, Json>& Json::members() const {
  must_be(Kind::object, "an object");
  return members_;
}

const Json& Json::at(const std::string& name) const {
  const Json* found = find(name);
  if (found == nullptr) refuse("an object with the member " + quoted(name));
  return *found;
}

const Json* Json::find(const std::string& name) const {
  const auto found = members().find(name);
  return found == members_.end() ? nullptr : &found->second;
}

std::string Json::shown() const {
  switch (kind_) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return boolean_ ? "true" : "false";
    case Kind::string:
      return "'" + cut(text_) + "'";
    case Kind::array:
      return "a list of " + std::to_string(items_.size());
    case Kind::object:
      return "an object of " + std::to_string(members_.size());
    case Kind::number:
      break;
  }
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  stream.precision(std::numeric_limits<double>::max_digits10);
  stream << number_;
  return stream.str();
}

void Json::must_be(Kind kind, const char* wanted) const {
  if (kind_ != kind) refuse(wanted);
}

void Json::refuse(const std::string& wanted) const {
  const std::string what = name_.empty() ? "the JSON" : "`" + name_ + "`";
  throw Error(what + " must be " + wanted + ", got " + shown());
}

}  // namespace deeptf
