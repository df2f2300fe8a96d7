// Memory for results on their way: not set to zero, aligned for lanes, freed at the end of its
// block.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace deeptf {

template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count) : data_(allocate(count)) {}

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };

  static T* allocate(int64_t count) {
    const size_t lines = static_cast<size_t>(count) * sizeof(T) / kAlignment + 1;
    void* data = std::aligned_alloc(kAlignment, lines * kAlignment);
    if (data == nullptr) throw std::bad_alloc();
    return static_cast<T*>(data);
  }

  std::unique_ptr<T[], Free> data_;
};

}  // namespace deeptf
