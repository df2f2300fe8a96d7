// A frozen model: a TensorFlow GraphDef that describes itself (deeptf/exchange/frozen.py says how).
//
// Only the metadata and constants that are asked for are looked at; nothing is executed. A file
// that is damaged, of another format or another program throws Error, with the name of the file and
// what to do.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/file/json.h"
#include "engine/file/mapped_file.h"

namespace deeptf {

template <class T>
struct Array {
  std::vector<int64_t> shape;
  std::vector<T> data;
};

class ModelFile {
 public:
  // The file is read as long as constants are asked for; until then, replace it, but do not write
  // into it.
  static ModelFile read(const std::string& path);
  // `content` is kept by whoever gives it for as long as constants are asked for.
  ModelFile(std::string name, std::string_view content);

  const std::string& name() const { return name_; }
  std::string_view content() const { return content_; }
  const Json& metadata() const { return metadata_; }
  const std::string& metadata_text() const { return metadata_text_; }

  // A constant as numbers of type T: float, double or int32_t. Floats become each other; int32_t is
  // for constants of integers alone. Throws Error where the file has none of that name and kind, or
  // it is damaged or has a shape other than `shape` (-1: any length).
  template <class T>
  Array<T> constant(const std::string& name, const std::vector<int64_t>& shape) const;

 private:
  std::string name_;
  std::shared_ptr<const MappedFile> file_;  // that has the content; null where that was given
  std::string_view content_;
  std::string metadata_text_;
  Json metadata_;
  std::map<std::string, std::string_view> constants_;  // bytes of the nodes
};

}  // namespace deeptf
