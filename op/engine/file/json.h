// JSON of a model file, read.
//
// Numbers are float64; whole ones are taken as integers where one is asked for. Whatever is not
// JSON, or not of the kind that is asked for, throws Error. Nesting is bounded.
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

 private:
  friend class JsonParser;

  Kind kind_ = Kind::null;
  bool boolean_ = false;
  double number_ = 0;
  std::string text_;
  std::vector<Json> items_;
  std::map<std::string, Json> members_;
};

}  // namespace deeptf
