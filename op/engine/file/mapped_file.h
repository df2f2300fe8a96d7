// The bytes of a file as the cache of the system holds them: all processes of a host share them,
// and only pages that are looked at are read. Whoever writes into the file changes them, and
// reading what was cut off ends the process: files are to be replaced as a whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deeptf {

class MappedFile {
 public:
  // Throws Error with what is wrong, without the path.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view content() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;  // null where the file is empty
  size_t size_ = 0;
};

}  // namespace deeptf
