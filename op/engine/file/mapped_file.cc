#include "engine/file/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"

namespace deeptf {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(what + " (" + std::generic_category().message(errno) + ")");
}

// Open as long as it lives.
struct Descriptor {
  explicit Descriptor(const std::string& path)
      : number(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  const int number;
};

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file(path);
  if (file.number < 0 && (errno == ENOENT || errno == ENOTDIR)) throw Error("no such file");
  struct stat about;
  if (file.number < 0 || fstat(file.number, &about) != 0) refuse("it cannot be opened");
  if (!S_ISREG(about.st_mode)) throw Error("it is no regular file");
  size_ = static_cast<size_t>(about.st_size);
  if (size_ == 0) return;
  void* data = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (data == MAP_FAILED) refuse("it cannot be read");
  data_ = data;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace deeptf
