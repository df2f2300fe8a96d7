// JSON of a model file, read.
//
// Numbers are float64; whole ones are taken as integers where one is asked for. Whatever is not
// JSON, or not of the kind that is asked for, throws Error. Nesting is bounded.
//
// As Python's json reads it: NaN, Infinity and -Infinity are numbers, and of members of the same
// name the last one counts. Half a pair of surrogates becomes U+FFFD, so that texts are UTF-8.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace deeptf {

class Json {
 public:
  enum class Kind { null, boolean, number, string, array, object };

  static Json parse(std::string_view text);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool boolean() const;
  double number() const;
  int64_t integer() const;
  const std::string& text() const;
  const std::vector<Json>& items() const;              // of an array
  const std::map<std::string, Json>& members() const;  // of an object
  const Json& at(const std::string& name) const;       // a member that must be there
  const Json* find(const std::string& name) const;     // null where it is not there
  const Json* given(const std::string& name) const {   // or where it is null
    const Json* found = find(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }

  std::string shown() const;  // briefly, for messages

 private:
  friend class JsonParser;

  void must_be(Kind kind, const char* wanted) const;
  [[noreturn]] void refuse(const std::string& wanted) const;

  Kind kind_ = Kind::null;
  bool boolean_ = false;
  double number_ = 0;
  std::string name_;  // for messages: of a member, with the index of an item
  std::string text_;
  std::vector<Json> items_;
  std::map<std::string, Json> members_;
};

}  // namespace deeptf
